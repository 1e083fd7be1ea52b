"""The servers that the services need, on one machine without Docker: Kafka, MongoDB, a mail server and an SMS centre."""
