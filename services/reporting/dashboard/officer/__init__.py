"""The pages on which an officer answers reports, and the words of their forms."""
