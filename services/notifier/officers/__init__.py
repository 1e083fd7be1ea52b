"""What a plan's officer is told once a week."""
