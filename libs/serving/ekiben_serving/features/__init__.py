"""Features from a feature store, for requests that bring none or too few: the port, a fake, and Feast."""
