"""The gateway over HTTP: the scoring core that serves the bus, for single models."""
