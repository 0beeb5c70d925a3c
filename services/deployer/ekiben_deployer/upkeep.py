"""Keeping what was decided: what is routed runs, what is not does not. The comparison is pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ekiben_contracts.routing import ModelRouted, RoutedVersion
from ekiben_deployer.known import Known
from ekiben_deployer.routes import is_asked
from ekiben_deployer.targets import Instance, Served


@dataclass(frozen=True, slots=True)
class Kept:
    """A routed version that should run, and where its route says that it does."""

    served: Served
    url: str


def to_keep(known: Known, busy: Collection[str]) -> Sequence[Kept]:
    """What is asked, of the models that no deployment is busy with. Without a Bento it is not ours."""
    return [
        Kept(Served(route.model, version.version, version.bento), version.url)
        for route in known.routes.values()
        for version in route.versions
        if is_asked(version) and version.bento is not None and route.model not in busy
    ]


def to_end(
    known: Known, instances: Sequence[Instance], busy: Collection[str], now: datetime, grace: timedelta
) -> Sequence[Served]:
    """What runs and is not asked, once the grace after its retirement is over."""
    return [
        instance.served
        for instance in instances
        if instance.served.model not in busy
        and not _needed(_routed(known.routes.get(instance.served.model), instance.served.version), now, grace)
    ]


def _routed(route: ModelRouted | None, version: str) -> RoutedVersion | None:
    return next((v for v in route.versions if v.version == version), None) if route else None


def _needed(routed: RoutedVersion | None, now: datetime, grace: timedelta) -> bool:
    if routed is None:
        return False
    return is_asked(routed) or (routed.retired_at is not None and now - routed.retired_at < grace)
