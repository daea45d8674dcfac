"""A Kafka cluster as one looks at it from outside: its topics, groups, records and dead letters.

What the commands and the dashboard have in common. Everything takes librdkafka's properties of the client, raises
ClusterError with the cluster's own words, and blocks until it is answered.
"""
