"""The one place where shadow scoring is put together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from ekiben_bus.cluster import Cluster
from ekiben_bus.occasional import Occasion
from ekiben_bus.service import Service, now
from ekiben_bus.settings import KafkaSettings, ServiceSettings
from ekiben_contracts.topics import MODEL_OUTPUTS, ROUTES, SHADOW
from ekiben_inference_gateway.calling import Caller
from ekiben_inference_gateway.clients import OpenClient, RoutedClients
from ekiben_inference_gateway.endpoint_health.metrics import EndpointMetrics
from ekiben_inference_gateway.endpoint_health.reporting import HealthReporter
from ekiben_inference_gateway.endpoint_health.watches import Watches
from ekiben_inference_gateway.latencies import Latencies
from ekiben_inference_gateway.metrics import GatewayMetrics
from ekiben_inference_gateway.outages import Outages
from ekiben_inference_gateway.pacing import Bounds, Paces
from ekiben_inference_gateway.routing import Choice
from ekiben_inference_gateway.shadow.asking import Asker
from ekiben_inference_gateway.shadow.choosing import Shadows
from ekiben_inference_gateway.shadow.handler import shadow
from ekiben_inference_gateway.shadow.metrics import ShadowMetrics
from ekiben_inference_gateway.shadow.patience import SeldomAgain
from ekiben_inference_gateway.shadow.settings import ShadowSettings
from ekiben_inference_gateway.sweeping import sweep
from ekiben_serving.endpoints import ModelClientFactory, ModelEndpoints, StaticEndpoint
from ekiben_serving.model_client import ModelClient

_FORGOTTEN_AFTER_S = 900.0


def build(
    settings: ShadowSettings,
    service_settings: ServiceSettings,
    kafka: KafkaSettings | Cluster,
    open_client: OpenClient | None = None,
    clock: Callable[[], datetime] = now,
) -> Service:
    """Shadow scoring as a service, not started. Tests give it a cluster in memory and clients of their own.

    It shares the gateway's code and nothing that runs: what a client, a breaker or a pace learns here the
    gateway does not know, and the other way round.
    """
    service = Service(SHADOW, service_settings, kafka, clock=clock)
    routes = service.table(ROUTES)
    outages, latencies = Outages(_FORGOTTEN_AFTER_S), Latencies()
    paces = Paces(Bounds(settings.rows_per_call, 1, settings.call_target_s))
    heartbeat = timedelta(seconds=settings.health_heartbeat_s)
    watches = Watches(settings.instance, heartbeat, EndpointMetrics(service.registry))
    clients = RoutedClients(open_client or _opener(settings, watches))
    reporter = HealthReporter(watches, service.publish, timedelta(seconds=settings.health_window_s), clock)
    patience = SeldomAgain(outages, settings.probe_after_s)
    caller = Caller(clients, patience, outages, latencies, paces, GatewayMetrics(service.registry))
    handler = partial(
        shadow,
        routes=routes,
        asker=Asker(caller.ask, paces, settings.call_budget_s),
        longest_lag=timedelta(seconds=settings.longest_lag_s),
        clock=clock,
        metrics=ShadowMetrics(service.registry),
    )
    service.resource(reporter.lifespan)
    service.resource(clients.lifespan)
    service.background(reporter.run)
    service.background(
        partial(
            sweep,
            lambda: Shadows(routes.values()).endpoints,
            clients,
            outages,
            latencies,
            paces,
            settings.client_sweep_s,
        )
    )
    # where nothing shadows, nothing is read: a group that reads all there is for nothing is not free
    is_routed = Occasion(lambda: bool(Shadows(routes.values()).endpoints), settings.longest_lag_s)
    service.consume(MODEL_OUTPUTS, handler, occasion=is_routed)
    return service


def _opener(settings: ShadowSettings, watches: Watches) -> OpenClient:
    """Clients of the routed addresses alone: nothing that a file names beside them is asked for a shadow."""
    factory = ModelClientFactory(ModelEndpoints(), watch=watches.open)

    def open_client(choice: Choice) -> ModelClient:
        endpoint = choice.endpoint
        at = StaticEndpoint(
            url=endpoint.url,
            timeout_s=settings.call_budget_s,
            max_retries=settings.max_retries,
            max_concurrent_calls=settings.max_concurrent_calls,
        )
        return factory.build(endpoint.model, endpoint.version, [at], choice.signature or None)

    return open_client
