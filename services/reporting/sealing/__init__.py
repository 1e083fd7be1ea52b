"""Freezes the report of a plan and period as a numbered version on `dondoc.reports.v1`, and gives it back."""
