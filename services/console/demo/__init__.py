"""The demo: one year of a plan, run against the real services, with the expected outcome."""
