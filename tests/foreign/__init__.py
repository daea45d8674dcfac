"""Other people's programs against the broker: client suites, Apache Kafka's tools and Kafka Streams. See README.md."""
