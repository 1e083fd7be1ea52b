"""The records of the bus: CloudEvents envelope, event models, topics, and what is published about them."""
