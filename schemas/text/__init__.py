"""Text as people and programs write it: its normal form, how names are compared, and the encodings before Unicode."""
