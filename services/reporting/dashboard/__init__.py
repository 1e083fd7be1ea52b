"""The dashboard: pages rendered on the server, in Vietnamese by default, without scripts or foreign resources."""
