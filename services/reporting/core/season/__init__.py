"""The season of reporting: which one runs, how its reports arrive, what of it needs a person. Pure decisions."""
