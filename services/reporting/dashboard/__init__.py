"""The dashboard: pages drawn on the server, Vietnamese first, without script and with nothing from elsewhere."""
