"""The meaning that the services share: documents, events, topics and identities. It refuses to know any service, server or clock."""
