"""The Kafka protocol: frames, headers, versions, record batches."""
