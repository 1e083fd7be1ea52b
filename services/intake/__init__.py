"""Intake: takes events over HTTP, refuses what cannot be true, and answers once what it took cannot be lost."""
