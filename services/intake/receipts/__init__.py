"""Receipts: signing them with Ed25519 as compact JWS, and verifying them offline."""
