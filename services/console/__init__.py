"""The console: one module a command group. It composes the services and is imported by none."""
