"""The documents `plan.yaml` and `registry.yaml` as models, with the value types they are made of."""
