"""The submissions of one duty: how they are related, when each counts, and what they amount to together."""
