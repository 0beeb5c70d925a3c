"""The events of Ekiben, their versions and their topics. Knows pydantic and nothing else."""
