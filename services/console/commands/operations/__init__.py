"""Commands of operation: up, dead-letters."""
