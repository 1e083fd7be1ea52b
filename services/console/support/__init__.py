"""Shared by several commands: input files, output, reading and publishing on the bus, simulation, the local system."""
