"""The one consume, decide, publish, commit loop of every Ekiben service, over Kafka."""
