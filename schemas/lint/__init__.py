"""Loading plan and registry documents, and every fault in them with its line."""
