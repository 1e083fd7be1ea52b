"""What agencies sent, looked at one by one: its history, who may see it, what looks like a slip, grades in words."""
