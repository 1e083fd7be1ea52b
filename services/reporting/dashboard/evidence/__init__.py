"""The pages of evidence: one duty, one agency, one event, the published documents, two instants, the service itself."""
