"""The parts of the report, one module a chapter: each returns the blocks that it prints."""
