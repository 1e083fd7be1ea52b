"""What the registry says of agencies as for their duties."""
