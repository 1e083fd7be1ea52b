"""State that is made from a topic: checkpoints of what it contains, and consumers that go on where the state ends."""
