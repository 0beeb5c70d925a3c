"""Scores prediction requests against models in micro-batches."""
