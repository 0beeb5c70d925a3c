"""The real classifier of tests/integration/serving, its Bento, and the `bentoml serve` child that answers."""

from integration.serving.conftest import classifier, mlops_settings, registry, served

__all__ = ["classifier", "mlops_settings", "registry", "served"]
