"""Commands on the notifier: contacts."""
