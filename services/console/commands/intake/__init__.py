"""Commands about submitting reports: keys, link, receipt, sheet, submit; and the files of events they read."""
