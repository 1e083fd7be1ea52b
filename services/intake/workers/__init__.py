"""Worker processes that share intake's work over several cores."""
