"""The meaning that the services share: documents, events, topics, identities. It knows no service, server or clock."""
