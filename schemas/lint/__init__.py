"""Parse plan and registry documents and report every error in them with its line."""
