"""Commands about the notifier: contacts."""
