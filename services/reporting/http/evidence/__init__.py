"""The HTTP API of evidence: one duty, one event, the published documents, two instants."""
