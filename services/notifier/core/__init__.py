"""What is said to whom, when, how often and in which words: pure functions. No clock, no database, no network."""
