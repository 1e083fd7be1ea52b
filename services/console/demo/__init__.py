"""The demo: a scenario of plan 6766 for the year 2024, run against the real services, with the expected outcome."""
