"""MLflow registry and Bento packaging."""
