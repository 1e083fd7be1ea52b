"""The ways an alert travels. Each adapts one protocol to `schemas.deliveries` and refuses to know what a duty is."""
