"""Commands that run the whole system or repair it: demo, up, dead-letters."""
