"""Commands about plans: check, duties, evaluate, simulate, publish, schemas."""
