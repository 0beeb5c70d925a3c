"""A Kafka to work with, wherever this machine can find one: the broker ladder and its rungs."""
