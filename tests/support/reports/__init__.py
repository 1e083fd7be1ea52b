"""Builders of annual reports: what they are compiled from."""
