"""Which shadow versions are asked beside what a request was answered with. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from ekiben_contracts.event import Event
from ekiben_contracts.models import Role
from ekiben_contracts.prediction import ModelsScored, Output
from ekiben_contracts.routing import ModelRouted, RoutedVersion
from ekiben_inference_gateway.routing import Choice, Endpoint


class Shadowing(NamedTuple):
    """A version to ask about a request, beside the output of the version that served."""

    scored: ModelsScored
    beside: Output
    choice: Choice
    attempt: int

    @property
    def member(self) -> str | None:
        """The member of the ensemble that was asked; None where a single model was."""
        return None if self.scored.model == self.beside.model else self.beside.model


class Shadows:
    """The shadow versions of every model, made once for each batch: routes may change between two.

    One that gets traffic is none, whatever its role says.
    """

    def __init__(self, routes: Iterable[Event]) -> None:
        routed = [route for route in routes if isinstance(route, ModelRouted)]
        self._serving = {version.url for route in routed for version in route.versions if version.weight > 0}
        self._choices: Mapping[str, tuple[Choice, ...]] = MappingProxyType(
            {route.model: tuple(self._of(route)) for route in routed}
        )

    @property
    def endpoints(self) -> frozenset[Endpoint]:
        """Every endpoint that is asked."""
        return frozenset(choice.endpoint for choices in self._choices.values() for choice in choices)

    def beside(self, scored: ModelsScored, replays: int = 0) -> Iterator[Shadowing]:
        """Whom to ask about one request: beside each output the shadows of its model, but not itself.

        Replays of the request and of its outputs both raise the attempt.
        """
        for output in scored.outputs:
            for choice in self._choices.get(output.model, ()):
                if choice.endpoint.version != output.version:
                    yield Shadowing(scored, output, choice, scored.attempt + replays)

    def shares_with_traffic(self, one: Shadowing) -> bool:
        """Whether what serves has the same address: to ask the shadow would be to slow that down."""
        return one.choice.endpoint.url in self._serving

    @staticmethod
    def _of(route: ModelRouted) -> Iterator[Choice]:
        for version in route.versions:
            if version.role is Role.SHADOW and version.weight == 0:
                yield _choice(route.model, version)


def _choice(model: str, version: RoutedVersion) -> Choice:
    endpoint = Endpoint(model, version.version, version.url)
    return Choice(endpoint, 0, Role.SHADOW, tuple(version.signature), None)
