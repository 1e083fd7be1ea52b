"""Reporting stores what rules and the notifier publish, answers queries about any instant, writes the annual report."""
