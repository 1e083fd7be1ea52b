"""Deduplication: an event sent again is written once and gets its first receipt again."""
