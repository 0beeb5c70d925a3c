"""Logs and metrics of every Ekiben service."""
