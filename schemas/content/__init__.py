"""The content of reports: what is asked of which agency, in which units, and figures that look like slips."""
