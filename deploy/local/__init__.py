"""The servers that the services need, on one machine without Docker: Kafka, MongoDB, mail server, SMS centre."""
