"""The forms in which people fill in a report: its fields, how their values are parsed, the event they become."""
