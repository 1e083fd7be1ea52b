"""The functional core of rules: pure decisions over documents and facts, without clock, randomness or I/O."""
