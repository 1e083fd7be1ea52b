"""An agency in the registry: its groups on the day that decides about a duty."""
