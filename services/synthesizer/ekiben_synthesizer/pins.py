"""What a scored event pins, found in the routes: the calibration and the classes of its models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ekiben_contracts.event import Event
from ekiben_contracts.models import Calibration
from ekiben_contracts.prediction import ModelsScored
from ekiben_contracts.routing import ModelRouted


class RouteTable(Protocol):
    """The latest routes by key, and a way to read them to their current end."""

    def get(self, key: str, /) -> Event | None: ...
    async def catch_up(self) -> None: ...


def calibrations(scored: ModelsScored, routes: RouteTable) -> list[Calibration | None]:
    """The pinned calibration of each output, in their order; None where it has none."""
    if not scored.calibrations:
        return [None] * len(scored.outputs)
    return [
        _calibration(output.model, scored.calibrations.get(output.model), routes) for output in scored.outputs
    ]


def classes(scored: ModelsScored, routes: RouteTable) -> Sequence[str] | None:
    """The order of the classes of the first model by name; members of an ensemble share it."""
    if not scored.outputs:
        return None
    route = _route(min([output.model for output in scored.outputs]), routes)
    return route.classes if route else None


def is_unresolved(scored: ModelsScored, routes: RouteTable) -> bool:
    """Whether it pins a calibration that the routes, as far as they were read, do not hold."""
    return bool(scored.calibrations) and any(
        _calibration(model, pinned, routes) is None for model, pinned in scored.calibrations.items()
    )


def _calibration(model: str, pinned: str | None, routes: RouteTable) -> Calibration | None:
    route = _route(model, routes) if pinned is not None else None
    for version in route.versions if route else ():
        if version.calibration is not None and version.calibration.id == pinned:
            return version.calibration
    return None


def _route(model: str, routes: RouteTable) -> ModelRouted | None:
    route = routes.get(f"model/{model}")
    return route if isinstance(route, ModelRouted) else None
