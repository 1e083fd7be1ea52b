"""The servers of the local stack: Kafka, mongod, and the mail and SMS servers that store what they receive."""
