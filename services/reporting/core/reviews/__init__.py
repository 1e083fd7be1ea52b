"""What an officer answers to a report: read from the fields of a form, and written as events. Pure functions."""
