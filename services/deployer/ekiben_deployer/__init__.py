"""Packages MLflow models as Bentos and rolls them out."""
