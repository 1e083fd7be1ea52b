"""Commands on plans: check, duties, evaluate, simulate, publish, schemas."""
