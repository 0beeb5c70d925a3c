"""How an event changes: from one version to the next, and what a change of its schema breaks for whom."""
