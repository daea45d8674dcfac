"""The same scripted sessions against the bundled broker and Apache Kafka, answers compared field by field. See README.md."""
