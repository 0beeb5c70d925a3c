"""Which versions answer a request: from the name of a model or an ensemble to a plan.

A version is drawn by the request, not by chance: the same request always draws the same version,
and a candidate's interval of the 10,000 slots grows from slot 0, so 5 % -> 25 % keeps the first 5 %.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from itertools import accumulate
from types import MappingProxyType
from typing import NamedTuple, Protocol

from ekiben_contracts.event import Event
from ekiben_contracts.models import FeatureSpec, Method, Role
from ekiben_contracts.routing import EnsembleDefined, ModelRouted, RoutedVersion

SLOTS = 10_000
_DRAWN = (Role.CHALLENGER, Role.CHAMPION)


class RouteTable(Protocol):
    """The latest routes by key, and a way to read them to their current end."""

    def get(self, key: str, /) -> Event | None: ...
    def values(self) -> Iterable[Event]: ...
    async def catch_up(self) -> None: ...


class Endpoint(NamedTuple):
    """One version of one model at one address: what a body of rows goes to."""

    model: str
    version: str
    url: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A version that takes traffic, and where its interval of the slots ends."""

    endpoint: Endpoint
    end: int
    role: Role
    signature: tuple[FeatureSpec, ...]
    calibration: str | None


@dataclass(frozen=True, slots=True)
class Member:
    """A model of a plan, with the versions that take its traffic in the order of their slots.

    `feature_service` has the features that requests may leave out; None: they bring all of them.
    """

    model: str
    choices: tuple[Choice, ...]
    feature_service: str | None = None

    def draw(self, by: str) -> Choice:
        """The version that answers `by`, a request or entity id."""
        *candidates, last = self.choices
        if candidates:
            drawn = slot(self.model, by)
            for choice in candidates:
                if drawn < choice.end:
                    return choice
        return last


@dataclass(frozen=True, slots=True)
class Combination:
    """What a definition says of how to combine, as every ModelsScored pins it."""

    revision: int | None = None
    method: Method = Method.SINGLE
    weights: dict[str, float] | None = None
    coverage: float | None = None


@dataclass(frozen=True)
class Plan:
    """Who answers requests for a name. `absent` are members of the ensemble that no route knows."""

    name: str
    members: tuple[Member, ...]
    absent: tuple[str, ...] = ()
    ensemble: EnsembleDefined | None = None

    def draw(self, by: str) -> tuple[Choice, ...]:
        """The version of each member that answers `by`, a request or entity id."""
        return self._only or tuple([member.draw(by) for member in self.members])

    @cached_property
    def _only(self) -> tuple[Choice, ...]:
        """Where no member has two versions there is nothing to draw."""
        if any(len(member.choices) > 1 for member in self.members):
            return ()
        return tuple(member.choices[0] for member in self.members)

    @cached_property
    def feature_services(self) -> frozenset[str]:
        """Where features that its requests lack may be asked for."""
        return frozenset(member.feature_service for member in self.members if member.feature_service)

    def calibrations(self, choices: tuple[Choice, ...]) -> dict[str, str]:
        """The calibration of each version that has one, by model."""
        return self._only_calibrations if choices is self._only else _calibrations(choices)

    @cached_property
    def _only_calibrations(self) -> dict[str, str]:
        return _calibrations(self._only)

    @cached_property
    def in_force(self) -> Combination:
        """How its outputs are to be combined."""
        if self.ensemble is None:
            return Combination()
        defined = self.ensemble
        return Combination(defined.revision, defined.method, defined.weights, defined.coverage)


NO_MEMBERS: Mapping[str, Member] = MappingProxyType({})


class Router:
    """Plans by name, made once for each batch: routes may change between two.

    A model that no route knows is taken from `static`, which a file has written.
    """

    def __init__(self, routes: RouteTable, static: Mapping[str, Member] = NO_MEMBERS) -> None:
        self._routes = routes
        self._static = static
        self._plans: dict[str, Plan | None] = {}

    def plan(self, name: str) -> Plan | None:
        """None where the name is routed nowhere."""
        if name not in self._plans:
            self._plans[name] = self._make(name)
        return self._plans[name]

    def is_complete(self, name: str) -> bool:
        """Whether the routes, as far as they were read, know everyone that has to answer."""
        plan = self.plan(name)
        return plan is not None and not plan.absent

    @cached_property
    def names(self) -> Sequence[str]:
        """Every name that can be asked for."""
        events = list(self._routes.values())
        return sorted(
            {event.ensemble for event in events if isinstance(event, EnsembleDefined)}
            | {event.model for event in events if isinstance(event, ModelRouted) and _choices(event)}
            | self._static.keys()
        )

    def _make(self, name: str) -> Plan | None:
        ensemble = self._routes.get(f"ensemble/{name}")
        if isinstance(ensemble, EnsembleDefined):
            found = {model: self._member(model) for model in ensemble.members}
            members = tuple(member for member in found.values() if member is not None)
            return Plan(name, members, tuple(model for model in found if found[model] is None), ensemble)
        member = self._member(name)
        return None if member is None else Plan(name, (member,))

    def _member(self, model: str) -> Member | None:
        route = self._routes.get(f"model/{model}")
        choices = _choices(route) if isinstance(route, ModelRouted) else ()
        if not isinstance(route, ModelRouted) or not choices:
            return self._static.get(model)
        return Member(model, choices, route.feature_service)


def slot(model: str, by: str) -> int:
    """Where a request falls among the 10,000 slots of a model: uniform, and the same for ever."""
    digest = blake2b(f"{model}\0{by}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % SLOTS


def _choices(route: ModelRouted) -> tuple[Choice, ...]:
    """Challengers from slot 0 on, the champion behind them; what the weights leave over is the last one's."""
    drawn = [version for version in route.versions if version.weight > 0 and version.role in _DRAWN]
    drawn.sort(key=lambda version: (version.role is Role.CHAMPION, version.version))
    ends = accumulate(version.weight for version in drawn)
    return tuple(_choice(route.model, version, end) for version, end in zip(drawn, ends, strict=True))


def _calibrations(choices: tuple[Choice, ...]) -> dict[str, str]:
    return {choice.endpoint.model: choice.calibration for choice in choices if choice.calibration}


def _choice(model: str, version: RoutedVersion, end: int) -> Choice:
    return Choice(
        Endpoint(model, version.version, version.url),
        end,
        version.role,
        tuple(version.signature),
        version.calibration.id if version.calibration else None,
    )
