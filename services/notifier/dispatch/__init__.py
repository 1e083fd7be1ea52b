"""Sending: a dispatcher for each route, which claims what is due on its channel and records what became of it."""
