"""Clients of model servers: pooled, retried, behind breakers, in columnar bodies."""
