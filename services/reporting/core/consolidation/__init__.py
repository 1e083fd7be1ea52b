"""From the duties of a period to its results: agencies are tallied, and tallies combined. Pure decisions."""
