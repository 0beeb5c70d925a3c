"""The events of Ekiben, their versions and their topics. Knows pydantic and msgspec, nothing else."""
