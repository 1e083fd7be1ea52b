"""The functional core of reporting: timelines, counts and the annual report as values; no clock, no database."""
