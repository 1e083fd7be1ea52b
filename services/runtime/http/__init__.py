"""HTTP/1.1 below the applications: the uvicorn server, its connections with time and size limits, protocol upgrades."""
