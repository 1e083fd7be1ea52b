"""Reporting's HTTP interface: questions in, JSON, documents and problem details out. It holds no rule of its own."""
