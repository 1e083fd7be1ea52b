"""The submissions of one duty: how they are related, when each counts, and which of them are on file at an instant."""
