"""The open connections: one client for each routed version, opened when it is first asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from structlog.stdlib import get_logger

from ekiben_contracts.routing import ModelRouted
from ekiben_inference_gateway.routing import NO_MEMBERS, Choice, Endpoint, Member, RouteTable
from ekiben_serving.model_client import ModelClient

log = get_logger(__name__)

OpenClient = Callable[[Choice], ModelClient]


class RoutedClients:
    """Clients by endpoint. Those whose endpoint left the routes are closed by `sweep`."""

    def __init__(self, open_client: OpenClient) -> None:
        self._open_client = open_client
        self._clients: dict[Endpoint, ModelClient] = {}
        self._leaving: set[Endpoint] = set()

    def of(self, choice: Choice, /) -> ModelClient:
        """The client of a version, opened if need be."""
        client = self._clients.get(choice.endpoint)
        if client is None:
            client = self._clients[choice.endpoint] = self._open_client(choice)
            log.info(
                "client opened",
                model=choice.endpoint.model,
                version=choice.endpoint.version,
                url=choice.endpoint.url,
            )
        return client

    async def sweep(self, routed: frozenset[Endpoint]) -> None:
        """Close clients that were unrouted at the last sweep too: a batch may still use the others."""
        unrouted = self._clients.keys() - routed
        for endpoint in unrouted & self._leaving:
            await self._clients.pop(endpoint).close()
            log.info("client closed", model=endpoint.model, version=endpoint.version, url=endpoint.url)
        self._leaving = unrouted & self._clients.keys()

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[RoutedClients]:
        """Close every client at the end."""
        try:
            yield self
        finally:
            await asyncio.gather(*(client.close() for client in self._clients.values()))
            self._clients.clear()


def routed_endpoints(routes: RouteTable, static: Mapping[str, Member] = NO_MEMBERS) -> frozenset[Endpoint]:
    """Every endpoint that takes traffic now."""
    routed = {
        Endpoint(route.model, version.version, version.url)
        for route in routes.values()
        if isinstance(route, ModelRouted)
        for version in route.versions
        if version.weight > 0
    }
    known = {endpoint.model for endpoint in routed}
    written = (member for model, member in static.items() if model not in known)
    return frozenset(routed | {choice.endpoint for member in written for choice in member.choices})
