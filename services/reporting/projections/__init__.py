"""The projections of reporting: what fills a database from the log, and which of two databases answers."""
