"""What every service needs of Kafka: clients, batches, tails, dead letters, topics, published documents."""
