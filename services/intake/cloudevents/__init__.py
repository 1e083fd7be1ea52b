"""From the bytes of a request to validated CloudEvents, their Kafka records and the signed receipts."""
