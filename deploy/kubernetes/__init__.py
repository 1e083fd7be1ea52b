"""Kubernetes manifests, of which one is made from the alert rules."""
