"""The evidence sheet: everything that was told about one duty, on paper, signed."""
