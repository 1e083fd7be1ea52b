"""The infrastructure that every service shares: Kafka, HTTP, settings, logs, metrics.

Of the domain it knows only the names of topics and documents.
"""
