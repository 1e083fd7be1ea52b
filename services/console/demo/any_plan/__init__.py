"""The demo of any plan: a season made from the plan itself, and what must come of it."""
