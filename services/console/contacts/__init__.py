"""The notifier's contacts as the console handles them: read from a table, checked against plans, written as CSV."""
