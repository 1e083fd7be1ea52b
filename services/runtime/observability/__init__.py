"""What an operator sees of a service from outside: its version, its latencies, its certificates, its traces."""
