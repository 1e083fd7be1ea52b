"""How a route behaves: what a refusal means, how fast to send, and when to stop trying for a while."""
