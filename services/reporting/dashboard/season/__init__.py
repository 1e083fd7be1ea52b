"""The pages of a season: how it stands, its duties as a list, its results."""
