"""The one place where the gateway is put together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from ekiben_bus.cluster import Cluster
from ekiben_bus.service import Service, now
from ekiben_bus.settings import KafkaSettings, ServiceSettings
from ekiben_contracts.topics import GATEWAY, PREDICTION_REQUESTS, ROUTES
from ekiben_inference_gateway.calling import Caller
from ekiben_inference_gateway.clients import OpenClient, RoutedClients, routed_endpoints
from ekiben_inference_gateway.endpoint_health.metrics import EndpointMetrics
from ekiben_inference_gateway.endpoint_health.reporting import HealthReporter
from ekiben_inference_gateway.endpoint_health.watches import Watches
from ekiben_inference_gateway.explaining import Explainer, ExplainLimits
from ekiben_inference_gateway.failures import on_failure
from ekiben_inference_gateway.features.filling import as_they_are
from ekiben_inference_gateway.features.lanes import FeatureLanes, OpenRepository, feature_lanes, is_routed
from ekiben_inference_gateway.features.opening import open_when_needed
from ekiben_inference_gateway.features.settings import FeatureSettings
from ekiben_inference_gateway.handler import answer
from ekiben_inference_gateway.http.core import Core
from ekiben_inference_gateway.http.settings import HttpSettings
from ekiben_inference_gateway.latencies import Latencies
from ekiben_inference_gateway.metrics import GatewayMetrics
from ekiben_inference_gateway.outages import Outages
from ekiben_inference_gateway.pacing import Bounds, Paces
from ekiben_inference_gateway.patience import MainFlow, ParkedLane
from ekiben_inference_gateway.routing import RouteTable
from ekiben_inference_gateway.scoring import Limits
from ekiben_inference_gateway.settings import GatewaySettings
from ekiben_inference_gateway.static import Opener, static_members
from ekiben_inference_gateway.sweeping import sweep
from ekiben_serving.endpoints import ModelClientFactory, ModelEndpoints, read_endpoints
from ekiben_serving.features.feast_store import FeastStore

_LOOK_EVERY_S = 0.5
"""How often the routes are looked at for a feature service, until the store is open."""


class HttpExtraError(ImportError):
    """The gateway is to answer over HTTP, and was installed without what that takes."""


def build(
    settings: GatewaySettings,
    service_settings: ServiceSettings,
    kafka: KafkaSettings | Cluster,
    open_client: OpenClient | None = None,
    http: HttpSettings | None = None,
    clock: Callable[[], datetime] = now,
    features: FeatureSettings | None = None,
    open_repository: OpenRepository = FeastStore,
) -> Service:
    """The gateway as a service, not started.

    Tests give it a cluster in memory, and clients and a feature store of their own.
    """
    service = Service(GATEWAY, service_settings, kafka, clock=clock)
    routes = service.table(ROUTES)
    metrics = GatewayMetrics(service.registry)
    outages = Outages(settings.outage_patience_s)
    endpoints = read_endpoints(settings.endpoints_file) if settings.endpoints_file else ModelEndpoints()
    static = static_members(endpoints)
    watches = Watches(
        settings.instance, timedelta(seconds=settings.health_heartbeat_s), EndpointMetrics(service.registry)
    )
    factory = ModelClientFactory(endpoints, watch=watches.open)
    clients = RoutedClients(open_client or Opener(endpoints, factory, settings))
    reporter = HealthReporter(watches, service.publish, timedelta(seconds=settings.health_window_s), clock)
    latencies = Latencies()
    paces = Paces(Bounds(settings.rows_per_call, settings.calls_at_a_time, settings.call_target_s))
    main_flow = MainFlow(outages, latencies, settings.least_patience_s, settings.probe_after_s)
    asking = partial(Caller, clients, outages=outages, latencies=latencies, paces=paces, metrics=metrics)
    skew = timedelta(seconds=settings.clock_skew_s)
    explain_limits = ExplainLimits(settings.explain_rows, settings.explain_budget_s, skew)
    explainer = Explainer(clients, explain_limits, metrics, clock)
    limits = Limits(settings.call_budget_s, skew)
    handler = partial(
        answer,
        explainer=explainer,
        routes=routes,
        static=static,
        outages=outages,
        limits=limits,
        paces=paces,
        draw_by=settings.draw_by,
        clock=clock,
        metrics=metrics,
    )
    lanes = _feature_lanes(service, features, routes, open_repository, clock)
    fill, fill_parked = (lanes.main, lanes.parked) if lanes else (as_they_are, as_they_are)
    service.resource(reporter.lifespan)
    service.resource(clients.lifespan)
    service.background(reporter.run)
    service.background(
        partial(
            sweep,
            partial(routed_endpoints, routes, static),
            clients,
            outages,
            latencies,
            paces,
            settings.client_sweep_s,
        )
    )
    if http is not None and http.port is not None:
        caller = asking(patience=main_flow)
        core = Core(
            routes, clients, caller, explainer, limits, paces, settings.draw_by, clock, metrics, static, fill
        )
        _answer_over_http(service, http, core)
    service.consume(
        PREDICTION_REQUESTS,
        partial(handler, caller=asking(patience=main_flow), fill=fill),
        on_failure=partial(on_failure, clock=clock, metrics=metrics),
        parked=partial(handler, caller=asking(patience=ParkedLane()), fill=fill_parked),
    )
    return service


def _feature_lanes(
    service: Service,
    features: FeatureSettings | None,
    routes: RouteTable,
    open_repository: OpenRepository,
    clock: Callable[[], datetime],
) -> FeatureLanes | None:
    if features is None or features.repository is None:
        return None
    lanes = feature_lanes(features, features.repository, service.registry, clock, open_repository)
    service.resource(lanes.reader.lifespan)
    service.background(partial(open_when_needed, lanes.reader, partial(is_routed, routes), _LOOK_EVERY_S))
    return lanes


def _answer_over_http(service: Service, http: HttpSettings, core: Core) -> None:
    try:
        from ekiben_inference_gateway.http.face import Face  # noqa: PLC0415 - a web framework: an extra
    except ModuleNotFoundError as error:
        raise HttpExtraError(
            f"EKIBEN_HTTP_PORT is {http.port}, which needs the extra http, found no {error.name}; "
            "install ekiben-inference-gateway[http], or leave the port unset"
        ) from error
    face = Face(http, core, service.publish, service.registry, service.is_ready)
    service.resource(face.lifespan)
    service.background(face.publish_answers)
