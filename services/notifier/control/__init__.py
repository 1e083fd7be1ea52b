"""What the operator has stopped or silenced, and why."""
