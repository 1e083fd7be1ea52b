"""HTTP/1.1 below the applications: the uvicorn server, time and size limits of connections, upgrades, probes."""
