"""The demo: one year of plan 6766 told to the real services at high speed, and what they made of it."""
