"""The HTTP interface: routing, authentication, limits, and the handlers of `/v1/events`."""
