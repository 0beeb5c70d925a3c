"""From received requests to verdicts: scored, answered, tried again, kept as dead letters, parked or held."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial

from ekiben_bus.records import Received
from ekiben_bus.verdicts import Hold, Park, Verdict
from ekiben_contracts.identity import request_identity
from ekiben_contracts.lean import REQUESTED
from ekiben_contracts.prediction import FailureCode, PredictionRequested
from ekiben_inference_gateway.admission import DrawBy, admit, fill_in_time
from ekiben_inference_gateway.answers import refused_verdict, retried_verdict, scored_verdict
from ekiben_inference_gateway.calling import Caller
from ekiben_inference_gateway.clients import routed_endpoints
from ekiben_inference_gateway.conclusions import Conclusion, Failing, Waiting, conclude
from ekiben_inference_gateway.explaining import Explainer
from ekiben_inference_gateway.features.filling import Admitted, Fill, as_they_are
from ekiben_inference_gateway.metrics import UNROUTED, GatewayMetrics
from ekiben_inference_gateway.outages import Outages
from ekiben_inference_gateway.pacing import Paces
from ekiben_inference_gateway.refusals import Refusal
from ekiben_inference_gateway.requests import Request
from ekiben_inference_gateway.routing import NO_MEMBERS, Member, Router, RouteTable
from ekiben_inference_gateway.scoring import Asked, Limits, Scored, score


async def answer(
    batch: Sequence[Received],
    *,
    routes: RouteTable,
    caller: Caller,
    explainer: Explainer,
    outages: Outages,
    limits: Limits,
    paces: Paces,
    draw_by: DrawBy,
    clock: Callable[[], datetime],
    metrics: GatewayMetrics,
    static: Mapping[str, Member] = NO_MEMBERS,
    fill: Fill = as_they_are,
) -> list[Verdict]:
    """One verdict for each request of a batch, in their order. `caller` and `fill` ask as their lane does."""
    requests = [request_of(received) for received in batch]
    router, behind = await route({request.asked.model for request in requests}, routes, static)
    now, routed = clock(), routed_endpoints(routes, static)
    ask = partial(caller.ask, routed=routed)
    asked = [admit(request, router, draw_by, now, limits.clock_skew) for request in requests]
    admitted, now = await fill_in_time(asked, fill, clock, now, limits.clock_skew)
    scored = await score([one for one in admitted if isinstance(one, Asked)], ask, limits, paces, now)
    answered = iter(await explainer.explain(scored))
    concluded = [_conclude(one, answered, outages, behind) for one in admitted]
    metrics.answered(
        (label_of(request, router), _outcome(one)) for request, one in zip(requests, concluded, strict=True)
    )
    now, all_down = clock(), outages.cover(routed)
    return [
        _verdict(request, one, received, now, all_down=all_down)
        for request, one, received in zip(requests, concluded, batch, strict=True)
    ]


def request_of(received: Received) -> Request:
    """The request in a record.

    Raises:
        TypeError: the record holds another event.
    """
    asked, record = received.event, received.record
    if not isinstance(asked, REQUESTED):
        raise TypeError(f"expected {PredictionRequested.type}, found {asked.type}")
    identity = request_identity(
        asked.request_id, received.ce_id, record.topic, record.partition, record.offset
    )
    return Request(identity, asked, asked.requested_at or received.recorded_at, received.attempt)


async def route(
    names: set[str], routes: RouteTable, static: Mapping[str, Member]
) -> tuple[Router, str | None]:
    """Plans for these names. Before anybody is called unknown, the routes are read to their current end.

    The text says why that could not be done; None where all is known that can be.
    """
    router = Router(routes, static)
    if all(router.is_complete(name) for name in names):
        return router, None
    try:
        await routes.catch_up()
    except TimeoutError as error:
        return router, f"the routes could not be read to their current end: {error!r}"
    return Router(routes, static), None


def _conclude(
    admitted: Admitted, scored: Iterator[Scored], outages: Outages, behind: str | None
) -> Conclusion:
    is_asked = isinstance(admitted, Asked)
    concluded = conclude(next(scored), outages.is_given_up) if is_asked else admitted
    if behind is None or not isinstance(concluded, Refusal):
        return concluded
    lacks_routes = isinstance(admitted, Asked) and admitted.plan.absent
    return Waiting(behind) if lacks_routes or concluded.code is FailureCode.UNKNOWN_MODEL else concluded


def _verdict(
    request: Request, concluded: Conclusion, received: Received, now: datetime, *, all_down: bool
) -> Verdict:
    match concluded:
        case Scored():
            return scored_verdict(concluded)
        case Failing():
            return retried_verdict(request, concluded, received, now)
        case Waiting(reason, endpoint):
            # while nothing routed answers, nobody is delayed by leaving everything where it is
            if endpoint is None or all_down:
                return Hold(reason)
            return Park(f"{endpoint.model}/{endpoint.version} at {endpoint.url}", reason)
        case Refusal():
            return refused_verdict(request, concluded, received, now)


def label_of(request: Request, router: Router) -> str:
    """Its model, where that is routed: what users send must not become labels without end."""
    return UNROUTED if router.plan(request.asked.model) is None else request.asked.model


def _outcome(concluded: Conclusion) -> str:
    match concluded:
        case Scored():
            return "scored"
        case Failing():
            return "failing"
        case Waiting():
            return "waiting"
        case Refusal(code):
            return code.value
