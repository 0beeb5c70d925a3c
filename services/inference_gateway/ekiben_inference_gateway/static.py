"""Models that a file names: routed without a deployer, and where to go on when an endpoint is away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ekiben_contracts.models import Role
from ekiben_inference_gateway.routing import SLOTS, Choice, Endpoint, Member
from ekiben_inference_gateway.settings import GatewaySettings
from ekiben_serving.endpoints import ModelClientFactory, ModelEndpoints, StaticEndpoint, StaticModel
from ekiben_serving.model_client import ModelClient


def static_members(endpoints: ModelEndpoints) -> Mapping[str, Member]:
    """One version of each model of the file, with all of its traffic."""
    return {
        model: Member(model, (_choice(model, static),), static.feature_service)
        for model, static in endpoints.models.items()
    }


def _choice(model: str, static: StaticModel) -> Choice:
    return Choice(
        Endpoint(model, static.version, static.endpoints[0].address),
        SLOTS,
        Role.CHAMPION,
        static.signature,
        None,
    )


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens the client of a version: where its route says, and beyond that where the file says.

    The file's other endpoints of the same model and version are asked, in their order, while the first
    is away.
    """

    endpoints: ModelEndpoints
    factory: ModelClientFactory
    settings: GatewaySettings

    def __call__(self, choice: Choice) -> ModelClient:
        """A new client, checked against what its route says of it."""
        endpoint = choice.endpoint
        static = self.endpoints.models.get(endpoint.model)
        written = static.endpoints if static is not None and static.version == endpoint.version else ()
        first = next((each for each in written if each.address == endpoint.url), self._routed(endpoint.url))
        others = [each for each in written if each.address != endpoint.url]
        return self.factory.build(
            endpoint.model, endpoint.version, [first, *others], choice.signature or None
        )

    def _routed(self, url: str) -> StaticEndpoint:
        return StaticEndpoint(
            url=url,
            timeout_s=self.settings.call_budget_s,
            max_retries=self.settings.max_retries,
            max_concurrent_calls=self.settings.max_concurrent_calls,
        )
