"""Where requests go: the routes in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ekiben.reading import Log
from ekiben_contracts.cloudevents import decode
from ekiben_contracts.errors import ContractError
from ekiben_contracts.routing import EnsembleDefined, ModelRouted
from ekiben_contracts.topics import ROUTES


@dataclass(frozen=True, slots=True)
class Routes:
    """Every model and every ensemble that a request can name."""

    models: Mapping[str, ModelRouted]
    ensembles: Mapping[str, EnsembleDefined]


async def read_routes(log: Log) -> Routes:
    """The latest record of each key; an empty one takes its key away."""
    latest: dict[bytes | None, ModelRouted | EnsembleDefined] = {}
    async for record in log.read_to_end():
        if not record.value:
            latest.pop(record.key, None)
            continue
        try:
            event = decode(record.value, record.headers, ROUTES).data
        except ContractError:  # the services skip it too: what is no route routes nothing
            continue
        if isinstance(event, ModelRouted | EnsembleDefined):
            latest[record.key] = event
    return Routes(
        models={route.model: route for route in latest.values() if isinstance(route, ModelRouted)},
        ensembles={route.ensemble: route for route in latest.values() if isinstance(route, EnsembleDefined)},
    )
