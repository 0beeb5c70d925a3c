"""What the deployer counts: the steps it told, so that a failed deployment can raise an alert."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter

from ekiben_contracts.deployment import DeploymentProgressed


class DeployerMetrics:
    """Steps by model and kind, in the registry of the service."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._steps = Counter(
            "ekiben_deployment_steps",
            "Steps of deployments that were told",
            ["model", "step"],
            registry=registry,
        )

    def told(self, progressed: DeploymentProgressed) -> None:
        """Count one step."""
        self._steps.labels(progressed.model, progressed.step).inc()
