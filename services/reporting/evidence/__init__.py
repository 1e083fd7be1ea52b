"""Answers about what statuses and figures rest on: one duty, one event, the published documents, two instants."""
