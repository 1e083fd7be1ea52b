"""The people whom alerts reach: read from a CSV file, and stored in the notifier's own database."""
