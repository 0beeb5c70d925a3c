"""One real classifier and regressor, their Bentos and `bentoml serve` children, for all tests here."""

from integration.served import classifier, mlops_settings, registry, regressor, served, served_regressor

__all__ = ["classifier", "mlops_settings", "registry", "regressor", "served", "served_regressor"]
