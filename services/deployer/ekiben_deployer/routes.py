"""What the next record of a route says: pure, from the record in force to its successor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ekiben_contracts.deployment import EnsembleRequested
from ekiben_contracts.models import Role
from ekiben_contracts.routing import EnsembleDefined, ModelRouted, RoutedVersion
from ekiben_contracts.training import ModelTrained

ALL_TRAFFIC = 10_000


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a version listens, and as which Bento."""

    bento: str
    url: str


def champion(route: ModelRouted | None) -> RoutedVersion | None:
    """The version that gets the traffic, if any."""
    serving = [v for v in route.versions if v.role is Role.CHAMPION and v.weight > 0] if route else []
    return serving[0] if serving else None


def previous(route: ModelRouted | None) -> RoutedVersion | None:
    """The version that served before the champion: the latest that was retired, even if it shadows now."""
    retired = [v for v in route.versions if v.role is Role.RETIRED or v.retired_at] if route else []
    return max(retired, key=lambda v: v.retired_at.timestamp() if v.retired_at else 0.0, default=None)


def is_asked(version: RoutedVersion) -> bool:
    """Whether anybody asks it, so that it has to run: it gets traffic, or shadows what does."""
    return version.weight > 0 or version.role is Role.SHADOW


def direct(
    current: ModelRouted | None,
    trained: ModelTrained,
    endpoint: Endpoint,
    now: datetime,
    keep: timedelta,
    feature_service: str | None = None,
) -> ModelRouted:
    """All traffic to one version; what served before stays, at weight 0, for as long as `keep`.

    The shadows of what served are those of what serves now. Without a feature service of its own it has
    the one that it was trained with, or else that of the route: no deployment takes it away unsaid.
    """
    routed = _routed(trained, endpoint, ALL_TRAFFIC, Role.CHAMPION)
    others = [v for v in current.versions if v.version != trained.version] if current else []
    shadows = [v for v in others if v.role is Role.SHADOW]
    retired = [_retire(v, now) for v in others if v.role is not Role.SHADOW]
    return ModelRouted(
        model=trained.model,
        revision=current.revision + 1 if current else 1,
        problem_type=trained.problem_type,
        classes=trained.classes,
        feature_service=feature_service
        or trained.feature_service
        or (current.feature_service if current else None),
        versions=[routed, *shadows, *_prune(retired, now, keep)],
        routed_at=now,
    )


def shadow(current: ModelRouted, trained: ModelTrained, endpoint: Endpoint, now: datetime) -> ModelRouted:
    """One version more, which answers nobody: all else stays as it is, and that it served once, too."""
    others = [v for v in current.versions if v.version != trained.version]
    served_until = next((v.retired_at for v in current.versions if v.version == trained.version), None)
    beside = _routed(trained, endpoint, 0, Role.SHADOW).model_copy(update={"retired_at": served_until})
    return _succeed(current, [*others, beside], now)


def withdraw(current: ModelRouted, version: str, now: datetime) -> ModelRouted:
    """No more traffic to a version. A shadow that never served leaves: nothing goes back to it."""
    versions = [
        _retire(v, now) if v.version == version else v
        for v in current.versions
        if v.version != version or v.role is not Role.SHADOW or v.retired_at is not None
    ]
    return _succeed(current, versions, now)


def restore(current: ModelRouted, version: str, now: datetime) -> ModelRouted:
    """All traffic back to a version that the route still has."""
    versions = [
        v.model_copy(update={"weight": ALL_TRAFFIC, "role": Role.CHAMPION, "retired_at": None})
        if v.version == version
        else (v if v.role is Role.SHADOW else _retire(v, now))
        for v in current.versions
    ]
    return _succeed(current, versions, now)


def relocate(current: ModelRouted, version: str, url: str, now: datetime) -> ModelRouted:
    """A version listens elsewhere now."""
    versions = [v.model_copy(update={"url": url}) if v.version == version else v for v in current.versions]
    return _succeed(current, versions, now)


def define(current: EnsembleDefined | None, request: EnsembleRequested, now: datetime) -> EnsembleDefined:
    """An ensemble as it was asked for."""
    return EnsembleDefined(
        ensemble=request.model,
        revision=current.revision + 1 if current else 1,
        members=request.members,
        method=request.method,
        weights=request.weights,
        missing_policy=request.missing_policy,
        coverage=request.coverage,
        defined_at=now,
    )


def says_the_same(one: EnsembleDefined | None, other: EnsembleDefined) -> bool:
    """Whether two definitions differ in nothing but when they were made."""
    unimportant = {"revision": other.revision, "defined_at": other.defined_at}
    return one is not None and one.model_copy(update=unimportant) == other


def _succeed(current: ModelRouted, versions: list[RoutedVersion], now: datetime) -> ModelRouted:
    return current.model_copy(
        update={"revision": current.revision + 1, "versions": versions, "routed_at": now}
    )


def _routed(trained: ModelTrained, endpoint: Endpoint, weight: int, role: Role) -> RoutedVersion:
    return RoutedVersion(
        version=trained.version,
        url=endpoint.url,
        weight=weight,
        role=role,
        signature=trained.signature,
        calibration=trained.calibration,
        bento=endpoint.bento,
    )


def _retire(version: RoutedVersion, now: datetime) -> RoutedVersion:
    return version.model_copy(
        update={"weight": 0, "role": Role.RETIRED, "retired_at": version.retired_at or now}
    )


def _prune(retired: list[RoutedVersion], now: datetime, keep: timedelta) -> list[RoutedVersion]:
    """Those retired within `keep`, and always the latest: a rollback goes back to it."""
    latest_first = sorted(retired, key=lambda v: v.retired_at or now, reverse=True)
    return [v for n, v in enumerate(latest_first) if n == 0 or now - (v.retired_at or now) < keep]
