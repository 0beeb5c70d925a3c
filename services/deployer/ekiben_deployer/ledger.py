"""What the topics say: what was wanted, what was decided, how far each deployment got.

Everything is read from the topics' start at every start of the process, never from offsets: a
crash loses nothing, and nothing has to be kept anywhere else. `model.trained` is taken from its
topic, not from the registry's tags: the event is the contract, whichever way a version was trained.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby
from typing import Protocol

from ekiben_bus.verdicts import Outgoing
from ekiben_contracts.deployment import DeploymentProgressed
from ekiben_contracts.event import Event
from ekiben_contracts.identity import output_id
from ekiben_contracts.routing import EnsembleDefined, ModelRouted
from ekiben_contracts.topics import DEPLOYMENT_EVENTS, ROUTES
from ekiben_contracts.training import ModelTrained
from ekiben_deployer.known import Known
from ekiben_deployer.planning import Request
from ekiben_deployer.progress import Progress

Route = ModelRouted | EnsembleDefined
Attempt = tuple[str, int]


class Table(Protocol):
    """A live view of a topic, such as the bus's LiveTable."""

    @property
    def rows(self) -> Mapping[str, Event]: ...
    async def catch_up(self) -> None: ...


class LedgerUnavailableError(Exception):
    """Kafka did not answer. Nothing is decided without it: wait and try again."""


@dataclass(frozen=True, slots=True)
class Views:
    """The tables of the topics that the deployer reads."""

    requests: Table
    events: Table
    trained: Table
    routes: Table


class Ledger:
    """Reads the views, and adds to what they show."""

    def __init__(self, views: Views, publish: Callable[[Sequence[Outgoing]], Awaitable[None]]) -> None:
        self._views = views
        self._publish = publish
        self._decided: dict[str, Route] = {}
        self._deciding = asyncio.Lock()

    def unfinished(self) -> Sequence[Request]:
        """The requests that did not reach an end, oldest first; of two with one id the first stands.

        A replay is an attempt of its own.
        """
        progress = self._progress()
        first: dict[Attempt, Request] = {}
        for request in self._views.requests.rows.values():
            if isinstance(request, Request):
                first.setdefault(attempt_of(request), request)
        return [r for attempt, r in first.items() if not progress.get(attempt, Progress()).is_over]

    def progress(self, request: Request) -> Progress:
        """How far a deployment got."""
        return self._progress().get(attempt_of(request), Progress())

    def known(self) -> Known:
        """The routes, ensembles and trained versions of now."""
        routes = list(self._views.routes.rows.values())
        trained = [event for event in self._views.trained.rows.values() if isinstance(event, ModelTrained)]
        return Known(
            {route.model: route for route in routes if isinstance(route, ModelRouted)},
            {route.ensemble: route for route in routes if isinstance(route, EnsembleDefined)},
            {(event.model, event.version): event for event in trained},
        )

    async def tell(self, progressed: DeploymentProgressed) -> None:
        """Publish a step, and read it back.

        Raises:
            LedgerUnavailableError: it may or may not have been published.
        """
        ce_id = output_id(progressed.deployment_id, progressed.step, progressed.attempt)
        await self._add(Outgoing(DEPLOYMENT_EVENTS, progressed, ce_id), self._views.events)

    async def decide(self, route: Route) -> None:
        """Publish a route, and read it back.

        Raises:
            LedgerUnavailableError: it may or may not have been published.
        """
        async with self._deciding:
            await self._decide(route)

    async def reassert(self) -> Sequence[Route]:
        """Write again what we decided wherever somebody else wrote over it; which routes that were.

        Raises:
            LedgerUnavailableError: not all of it could be published.
        """
        async with self._deciding:
            found = dict(self._views.routes.rows)
            for key, route in found.items():
                if isinstance(route, Route):
                    self._decided.setdefault(key, route)
            decided = self._decided.items()
            overwritten = [_succeed(mine, found.get(key)) for key, mine in decided if found.get(key) != mine]
            for route in overwritten:
                await self._decide(route)
        return overwritten

    def forget(self) -> None:
        """Somebody else decides now: what we decided stands no more against what the topic says."""
        self._decided.clear()

    async def catch_up(self) -> None:
        """Read every topic to its current end.

        Raises:
            LedgerUnavailableError: the broker did not answer.
        """
        views = self._views
        try:
            for table in (views.trained, views.events, views.routes, views.requests):
                await table.catch_up()
        except Exception as error:
            raise LedgerUnavailableError(f"topics not read to their end: {error!r}") from error

    async def _decide(self, route: Route) -> None:
        self._decided[route.key] = route
        ce_id = output_id(route.key, f"revision-{route.revision}")
        await self._add(Outgoing(ROUTES, route, ce_id), self._views.routes)

    async def _add(self, outgoing: Outgoing, view: Table) -> None:
        try:
            await self._publish([outgoing])
            await view.catch_up()
        except Exception as error:
            raise LedgerUnavailableError(f"{outgoing.id} not published: {error!r}") from error

    def _progress(self) -> dict[Attempt, Progress]:
        rows = self._views.events.rows.values()
        events = [event for event in rows if isinstance(event, DeploymentProgressed)]
        by_attempt = sorted(events, key=attempt_of)  # stable: the order of each one's steps stays
        return {attempt: Progress.of(steps) for attempt, steps in groupby(by_attempt, attempt_of)}


def request_row(event: Event) -> str:
    """A row for each request: ids that are used again keep both, and the first is found."""
    return f"{getattr(event, 'deployment_id', '')}/{blake2b(event.to_json(), digest_size=16).hexdigest()}"


def step_row(event: Event) -> str:
    """A row for each step of each deployment."""
    if not isinstance(event, DeploymentProgressed):
        return ""
    return output_id(event.deployment_id, event.step, event.attempt)


def trained_row(event: Event) -> str:
    """A row for each trained version; a training that failed has nothing to deploy."""
    return f"{event.model}/{event.version}" if isinstance(event, ModelTrained) else ""


def attempt_of(event: Request | DeploymentProgressed) -> Attempt:
    """Which attempt at which deployment an event is about."""
    return event.deployment_id, event.attempt


def _succeed(mine: Route, theirs: Event | None) -> Route:
    latest = max(mine.revision, theirs.revision if isinstance(theirs, Route) else 0)
    return mine.model_copy(update={"revision": latest + 1})
