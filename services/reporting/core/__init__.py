"""The functional core of reporting: lookups, scores and the annual report as values; no clock, no database."""
