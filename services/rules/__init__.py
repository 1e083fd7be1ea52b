"""Rules: what the facts known about a duty say of it, as a function of time."""
