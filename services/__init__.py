"""The four services, their shared plumbing and the console that composes them."""
