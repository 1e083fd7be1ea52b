"""What the notifier's own events say was sent, for a ledger that was lost or is older than they are."""
