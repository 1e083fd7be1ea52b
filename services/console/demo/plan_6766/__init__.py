"""The demo of plan 6766: what every agency does in 2024, and what must come of it."""
