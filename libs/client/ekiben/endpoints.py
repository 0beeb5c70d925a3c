"""How the endpoints of models do, as the gateways that ask them reported it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from ekiben.reading import Log
from ekiben_contracts.cloudevents import decode
from ekiben_contracts.errors import ContractError
from ekiben_contracts.health import SILENT_AFTER_S, EndpointHealthReported, HealthSummary, summarize
from ekiben_contracts.topics import ENDPOINT_HEALTH

LOOK_BACK = timedelta(seconds=SILENT_AFTER_S)
_MOST_REPORTS = 10_000
"""Read at the most, of each partition: the topic keeps a week, and the last minutes are wanted."""


class Endpoint(NamedTuple):
    """Where one version of a model answers."""

    model: str
    version: str
    url: str


async def read_endpoints(log: Log, now: datetime) -> Mapping[Endpoint, HealthSummary]:
    """What was reported lately, from the end of the log."""
    await log.go_back(_MOST_REPORTS)
    reports: list[EndpointHealthReported] = []
    async for record in log.read_to_end():
        try:
            event = decode(record.value, record.headers, ENDPOINT_HEALTH).data
        except ContractError:  # of a later version, or nobody's: it says nothing that could be shown
            continue
        if isinstance(event, EndpointHealthReported):
            reports.append(event)
    return lately(reports, now)


def lately(reports: Iterable[EndpointHealthReported], now: datetime) -> Mapping[Endpoint, HealthSummary]:
    """Each endpoint that a gateway told of within LOOK_BACK, what all of them saw since then as one. Pure."""
    by_endpoint: defaultdict[Endpoint, list[EndpointHealthReported]] = defaultdict(list)
    for report in reports:
        if report.window_end > now - LOOK_BACK:
            by_endpoint[Endpoint(report.model, report.version, report.url)].append(report)
    return {endpoint: summarize(found) for endpoint, found in sorted(by_endpoint.items())}
