"""Ekiben beside what could be used in its place, on one machine: `python -m benchmarks`."""
