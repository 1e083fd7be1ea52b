"""Reporting's HTTP API: queries in; JSON, documents and problem documents out. It contains no rule of its own."""
