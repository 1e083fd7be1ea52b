"""The audit: rebuilds the duties of a period from the log and compares them with what reporting answers."""
