"""A real Apache Kafka of one node, out of Maven's jars, to compare with and to test against."""

from bench.apache_kafka.server import ApacheKafka as ApacheKafka

__all__ = ("ApacheKafka",)
