"""A small process that keeps model servers running, and outlives the deployer that says which.

Files are the whole interface, under EKIBEN_HOME/serving: `desired/NAME.json` is written by the
deployer alone, `state/NAME.json` and `supervisor.json` by the supervisor alone, each replaced
atomically. Knows neither Kafka nor models: a child is a command with a port.
"""
