"""What the bus and HTTP share of one gateway."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from ekiben_inference_gateway.admission import DrawBy
from ekiben_inference_gateway.calling import Caller, Clients
from ekiben_inference_gateway.explaining import Explainer
from ekiben_inference_gateway.features.filling import Fill, as_they_are
from ekiben_inference_gateway.metrics import GatewayMetrics
from ekiben_inference_gateway.pacing import Paces
from ekiben_inference_gateway.routing import Member, RouteTable
from ekiben_inference_gateway.scoring import Limits


@dataclass(frozen=True, slots=True)
class Core:
    """Who is routed, how models are asked, and what is known of them."""

    routes: RouteTable
    clients: Clients
    caller: Caller
    explainer: Explainer
    limits: Limits
    paces: Paces
    draw_by: DrawBy
    clock: Callable[[], datetime]
    metrics: GatewayMetrics
    static: Mapping[str, Member]
    fill: Fill = as_they_are
