"""config/model_endpoints.yaml: where models answer, and in which order to ask; and the clients of it."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ekiben_contracts.event import ModelName, Version
from ekiben_contracts.health import BreakerState
from ekiben_contracts.models import FeatureSpec
from ekiben_contracts.wording import describe
from ekiben_serving.connection import ClientLimits
from ekiben_serving.failover import FailoverModelClient
from ekiben_serving.http_client import HTTPModelClient
from ekiben_serving.inprocess import InProcessModelClient
from ekiben_serving.json_client import JSONModelClient
from ekiben_serving.loading import Load, load_registered
from ekiben_serving.model_client import ModelClient
from ekiben_serving.watching import OpenWatch, WatchedModelClient

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<otherwise>[^}]*))?\}")


class EndpointsFileError(ValueError):
    """The file cannot be used. Its message names file and field, what was expected and what was found."""


class StaticEndpoint(BaseModel):
    """One place where a model answers: over HTTP at `url`, or in this process from `model_uri`.

    A Bento that Ekiben packaged is asked in columns. One of somebody's own has an `api`, the path of a
    method that takes a list of rows, named `parameter`, and gives an answer for each.
    In this process one body is computed at a time, whatever `max_concurrent_calls` says.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str | None = Field(default=None, pattern=r"^https?://")
    model_uri: str | None = Field(default=None, pattern=r"^[a-z]+:")
    api: str | None = Field(default=None, pattern=r"^/[^?#\s]+$")
    parameter: str = Field(default="rows", min_length=1)
    timeout_s: float = Field(default=1.0, gt=0, le=3600)
    max_retries: int = Field(default=3, ge=0, le=10)
    max_concurrent_calls: int = Field(default=8, ge=1, le=1024)

    @property
    def address(self) -> str:
        """Its URL, or the URI of the model that is loaded here."""
        return self.url or self.model_uri or ""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.url is None) == (self.model_uri is None):
            raise ValueError("expected either url or model_uri")
        if self.api is not None and self.url is None:
            raise ValueError("expected api beside a url, found it beside model_uri")
        return self


class StaticModel(BaseModel):
    """A model, the version that the file is about, and where it answers: the first that can is asked.

    Ekiben's own Bentos tell their signature; for others it may be written here, and rows are then checked
    before they are sent. A `feature_service` has what requests may leave out of the signature.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Version
    signature: tuple[FeatureSpec, ...] = ()
    feature_service: str | None = None
    endpoints: Annotated[tuple[StaticEndpoint, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _told_what_is_asked_for(self) -> Self:
        if self.feature_service is not None and not self.signature:
            raise ValueError("expected a signature beside feature_service: it says what to ask for")
        return self


class ModelEndpoints(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: Mapping[ModelName, StaticModel] = Field(default_factory=dict)


def read_endpoints(path: Path, environ: Mapping[str, str] = os.environ) -> ModelEndpoints:
    """Read the file, with `${NAME}` and `${NAME:-default}` filled in.

    Raises:
        EndpointsFileError: it is missing, no YAML, or a field is wrong; or a variable is not set.
    """
    try:
        found: object = yaml.safe_load(_fill_in(path.read_text(), environ))
        return ModelEndpoints.model_validate({} if found is None else found)
    except ValidationError as error:
        raise EndpointsFileError(f"{path}: {describe(error)}") from error
    except (OSError, yaml.YAMLError) as error:
        raise EndpointsFileError(f"{path}: expected a YAML file of models, found: {error}") from error


def _fill_in(text: str, environ: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        found = environ.get(match["name"], match["otherwise"])
        if found is None:
            raise EndpointsFileError(
                f"expected the variable {match['name']}, found it unset; set it, or write "
                f"${{{match['name']}:-default}}"
            )
        return found

    return _VARIABLE.sub(value, text)


class ModelClientFactory:
    """The clients of the models of a file: made when first asked for, kept, and closed together.

    A `watch` is told of each endpoint, those of one model apart.
    """

    def __init__(
        self, endpoints: ModelEndpoints, *, load: Load = load_registered, watch: OpenWatch | None = None
    ) -> None:
        self._endpoints = endpoints
        self._load = load
        self._watch = watch
        self._clients: dict[str, ModelClient] = {}

    def client(self, model: str) -> ModelClient:
        """The client of a model.

        Raises:
            KeyError: the file does not name it.
        """
        if model not in self._clients:
            found = self._endpoints.models[model]
            self._clients[model] = self.build(model, found.version, found.endpoints, found.signature or None)
        return self._clients[model]

    def build(
        self,
        model: str,
        version: str,
        endpoints: Sequence[StaticEndpoint],
        signature: Sequence[FeatureSpec] | None = None,
    ) -> ModelClient:
        """A new client, which its caller closes."""
        clients = [self._one(model, version, endpoint, signature) for endpoint in endpoints]
        return clients[0] if len(clients) == 1 else FailoverModelClient(model, clients)

    def _one(
        self, model: str, version: str, endpoint: StaticEndpoint, signature: Sequence[FeatureSpec] | None
    ) -> ModelClient:
        if self._watch is None:
            return self._open(model, version, endpoint, signature)
        watch = self._watch(model, version, endpoint.address)
        client = self._open(model, version, endpoint, signature, watch.breaker_turned)
        return WatchedModelClient(client, watch)

    def _open(
        self,
        model: str,
        version: str,
        endpoint: StaticEndpoint,
        signature: Sequence[FeatureSpec] | None,
        on_breaker: Callable[[BreakerState], None] | None = None,
    ) -> ModelClient:
        if endpoint.url is None:
            return InProcessModelClient(model, endpoint.address, version=version, load=self._load)
        limits = ClientLimits(concurrent_calls=endpoint.max_concurrent_calls)
        if endpoint.api is not None:
            return JSONModelClient(
                model,
                endpoint.url,
                endpoint.timeout_s,
                endpoint.max_retries,
                version=version,
                api=endpoint.api,
                parameter=endpoint.parameter,
                signature=signature,
                limits=limits,
                on_breaker=on_breaker,
            )
        return HTTPModelClient(
            model,
            endpoint.url,
            endpoint.timeout_s,
            endpoint.max_retries,
            version=version,
            signature=signature,
            limits=limits,
            on_breaker=on_breaker,
        )

    async def close(self) -> None:
        """Close every client that was made here."""
        clients, self._clients = self._clients, {}
        await asyncio.gather(*(client.close() for client in clients.values()))
