"""The channels of an alert. Each adapts one protocol (SMTP, SMPP) and knows nothing of duties."""
