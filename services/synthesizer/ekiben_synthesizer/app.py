"""The one place where the synthesizer is put together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from ekiben_bus.cluster import Cluster
from ekiben_bus.service import Service, now
from ekiben_bus.settings import KafkaSettings, ServiceSettings
from ekiben_contracts.topics import MODEL_OUTPUTS, ROUTES, SYNTHESIZER
from ekiben_synthesizer.failures import on_failure
from ekiben_synthesizer.handler import synthesize
from ekiben_synthesizer.metrics import SynthesizerMetrics
from ekiben_synthesizer.settings import SynthesizerSettings


def build(
    settings: SynthesizerSettings,
    service_settings: ServiceSettings,
    kafka: KafkaSettings | Cluster,
    clock: Callable[[], datetime] = now,
) -> Service:
    """The synthesizer as a service, not started. Tests give it a cluster in memory."""
    service = Service(SYNTHESIZER, service_settings, kafka, clock=clock)
    handler = partial(
        synthesize,
        routes=service.table(ROUTES),
        coverage=settings.coverage,
        clock=clock,
        metrics=SynthesizerMetrics(service.registry),
    )
    service.consume(MODEL_OUTPUTS, handler, on_failure=partial(on_failure, clock=clock))
    return service
