"""Which alerts a duty calls for, when they are due, to whom they go, and when a failed attempt is repeated."""
