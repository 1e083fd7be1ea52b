"""The content of the annual report: every figure with what is behind it, every sentence and table, in print order."""
