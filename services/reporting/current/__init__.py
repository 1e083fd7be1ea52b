"""What is known of duties now: one document a duty in the database, decoded once and kept for the next question."""
