"""The HTTP face over the scoring core with fake models, asked without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

import httpx

from ekiben_bus.outbox import OutputTooLargeError
from ekiben_bus.publishing import PublishError
from ekiben_bus.verdicts import Outgoing
from ekiben_inference_gateway.calling import Caller
from ekiben_inference_gateway.explaining import Explainer, ExplainLimits
from ekiben_inference_gateway.http.core import Core
from ekiben_inference_gateway.http.face import Face
from ekiben_inference_gateway.http.settings import HttpSettings
from ekiben_inference_gateway.patience import MainFlow
from ekiben_inference_gateway.routing import NO_MEMBERS
from ekiben_inference_gateway.scoring import Limits
from unit.gateway.building import FEATURES, LEAST_PATIENCE_S, Gateway

ASKED = {"request_id": "r-1", "model": "delay", "entity_id": "UA1", "features": FEATURES}


@dataclass
class FakeBus:
    """Keeps what is published, once it does not refuse."""

    published: list[Outgoing] = field(default_factory=list)
    refusals: int = 0
    too_large: frozenset[str] = frozenset()
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def publish(self, outgoing):
        if self.refusals:
            self.refusals -= 1
            raise PublishError("no broker")
        for one in outgoing:
            if one.id in self.too_large:
                raise OutputTooLargeError(one.id)
        self.published += outgoing
        self.arrived.set()


def core_of(gateway: Gateway) -> Core:
    """What the handler of the bus has, for HTTP."""
    caller = Caller(
        gateway.models,
        MainFlow(gateway.outages, gateway.latencies, LEAST_PATIENCE_S, gateway.probe_after_s),
        gateway.outages,
        gateway.latencies,
        gateway.paces,
        gateway.metrics,
        lambda: gateway.timer,
    )
    skew = timedelta(seconds=1)
    explain = Explainer(
        gateway.models,
        ExplainLimits(64, 1.0, skew),
        gateway.metrics,
        lambda: gateway.now,
        lambda: gateway.timer,
    )
    return Core(
        gateway.routes,
        gateway.models,
        caller,
        explain,
        Limits(1.0, skew),
        gateway.paces,
        gateway.draw_by,
        lambda: gateway.now,
        gateway.metrics,
        NO_MEMBERS,
        gateway.fill,
    )


@asynccontextmanager
async def facing(
    gateway: Gateway, bus: FakeBus | None = None, **settings: object
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a face that publishes to a bus."""
    drawn = count(1)
    face = Face(
        HttpSettings(**settings),
        core_of(gateway),
        (bus or FakeBus()).publish,
        gateway.registry,
        lambda: True,
        lambda: f"drawn-{next(drawn)}",
    )
    transport = httpx.ASGITransport(face.app, raise_app_exceptions=False)
    publishing = asyncio.create_task(face.publish_answers())
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client
    publishing.cancel()


def problem_of(answer: httpx.Response) -> dict:
    """The problem of an answer that is one."""
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert found["status"] == answer.status_code
    assert found["type"] == f"urn:ekiben:problem:{found['code']}"
    return found
