"""Writing events to the facts topic: Kafka records, the producer, the connection, and the durable writer above them."""
