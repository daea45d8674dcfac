"""The same scripted sessions on the bundled broker and on Apache Kafka, answers compared. See README.md."""
