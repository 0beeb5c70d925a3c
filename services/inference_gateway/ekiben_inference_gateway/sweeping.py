"""Letting go of what is kept of endpoints that are routed no more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ekiben_inference_gateway.clients import RoutedClients
from ekiben_inference_gateway.latencies import Latencies
from ekiben_inference_gateway.outages import Outages
from ekiben_inference_gateway.pacing import Paces
from ekiben_inference_gateway.routing import Endpoint


async def sweep(
    endpoints: Callable[[], frozenset[Endpoint]],
    clients: RoutedClients,
    outages: Outages,
    latencies: Latencies,
    paces: Paces,
    every_s: float,
) -> None:
    """Let go, from time to time, of what left the routes."""
    while True:
        await asyncio.sleep(every_s)
        routed = endpoints()
        outages.keep(routed)
        latencies.keep(routed)
        paces.keep(routed)
        await clients.sweep(routed)
