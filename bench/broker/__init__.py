"""The bundled broker beside Apache Kafka, measure by measure."""
