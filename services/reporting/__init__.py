"""Reporting: keeps what rules and the notifier said, answers about any instant, writes the annual report."""
