"""The supply chain: what is locked, what a service is made of, and what is known against it."""
