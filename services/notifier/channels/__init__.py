"""The channels of an alert: each adapts one protocol (SMTP, SMPP) and knows nothing of duties."""
