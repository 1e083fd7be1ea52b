"""What a sealed report is: its canonical form, its check code, its figures, and what changed between two versions."""
