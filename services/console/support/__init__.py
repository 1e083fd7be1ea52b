"""What several commands share: input, output, reading topics, simulation, the local system."""
