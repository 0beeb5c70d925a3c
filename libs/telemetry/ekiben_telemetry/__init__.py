"""Logs and metrics of every Ekiben service. Knows nothing of Kafka."""
