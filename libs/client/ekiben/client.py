"""The SDK: ask for predictions and read results over Kafka, deploy models, look at dead letters."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import version as version_of
from itertools import islice
from types import TracebackType
from typing import Self

from pydantic import ValidationError

from ekiben.answers import Answers
from ekiben.connection import Connection
from ekiben.dead_letters import DeadLetters, Selection, Viewer, Watch
from ekiben.dead_letters.desk import Desk
from ekiben.deployments import Deployment
from ekiben.endpoints import Endpoint, read_endpoints
from ekiben.errors import EkibenError, InvalidInputError, NoAnswerError
from ekiben.groups.desk import Groups
from ekiben.results import Result, Results
from ekiben.routes import Routes, read_routes
from ekiben.whoami import user_name
from ekiben_bus.cluster import Cluster, KafkaCluster
from ekiben_bus.naming import Naming
from ekiben_bus.outbox import Author, OutputTooLargeError, write
from ekiben_bus.publishing import WireRecord
from ekiben_bus.settings import KafkaSettings
from ekiben_bus.verdicts import Outgoing
from ekiben_contracts.deployment import (
    DeploymentRequested,
    DeploymentRetireRequested,
    EnsembleRequested,
    Strategy,
)
from ekiben_contracts.event import FeatureValue
from ekiben_contracts.health import HealthSummary
from ekiben_contracts.models import Method, MissingPolicy
from ekiben_contracts.prediction import PredictionRequested
from ekiben_contracts.topics import (
    DEPLOYMENT_EVENTS,
    DEPLOYMENT_REQUESTS,
    ENDPOINT_HEALTH,
    PREDICTION_REQUESTS,
    PREDICTION_RESULTS,
    ROUTES,
)
from ekiben_contracts.wording import describe

_CHUNK = 2000
"""Requests acknowledged together by `publish_many`: bounds memory, and keeps the batches full."""


class Ekiben:
    """A client of one Ekiben system; `async with` opens and closes it.

        async with Ekiben(bootstrap_servers="127.0.0.1:9092") as ekiben:
            result = await ekiben.predict("delay", "UA-1545", {"dep_hour": 5, "carrier": "UA"})

    How to reach Kafka comes from `KAFKA_…` unless it is given; a `cluster` replaces it, in tests.
    The clock and the ids come from outside too.
    """

    def __init__(
        self,
        bootstrap_servers: str | None = None,
        *,
        topic_prefix: str = "",
        kafka: KafkaSettings | None = None,
        cluster: Cluster | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        settings = kafka or KafkaSettings()
        if bootstrap_servers is not None:
            settings = settings.model_copy(update={"bootstrap_servers": bootstrap_servers})
        self._naming = Naming(topic_prefix)
        self._author = Author("client", version_of("ekiben"), self._naming)
        self._connection = Connection(cluster or KafkaCluster(settings), settings.bootstrap_servers)
        self._answers: Answers | None = None
        self._answering_starts = asyncio.Lock()
        self._now = now
        self._new_id = new_id

    async def __aenter__(self) -> Self:
        await self._connection.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._answers is not None:
            await self._answers.close()
        await self._connection.close()

    # ---- predictions

    async def predict(
        self,
        model: str,
        entity_id: str,
        features: Mapping[str, FeatureValue] | None = None,
        *,
        time_horizon: str = "short_term",
        request_id: str | None = None,
        deadline_s: float | None = None,
        timeout_s: float = 30.0,
    ) -> Result:
        """Publish a request and await its terminal event, completed or failed.

        Without features the model's feature store is asked. After `deadline_s` the system need not
        answer with a prediction any more; `timeout_s` is how long we wait for any answer.

        Raises:
            InvalidInputError: the request breaks its contract; nothing was published.
            NoAnswerError: no terminal event came in time; the request stands all the same.
        """
        now = self._now()
        try:
            request = PredictionRequested(
                request_id=request_id or self._new_id(),
                model=model,
                entity_id=entity_id,
                features=dict(features) if features is not None else None,
                time_horizon=time_horizon,
                requested_at=now,
                deadline=None if deadline_s is None else now + timedelta(seconds=deadline_s),
            )
        except ValidationError as error:
            raise _invalid(error) from error
        return await self._await_answer(request, timeout_s)

    async def publish(self, request: PredictionRequested) -> str:
        """Publish one request and wait for the broker's acknowledgement; returns its request id."""
        (request_id,) = await self.publish_many([request])
        return request_id

    async def publish_many(self, requests: Iterable[PredictionRequested]) -> list[str]:
        """Publish requests, each entity's in order, and wait for every acknowledgement; returns their ids.

        A request without an id of its own is known by the ce_id that it is given here.
        """
        ids: list[str] = []
        remaining = iter(requests)
        while chunk := list(islice(remaining, _CHUNK)):
            fresh = [request.request_id or self._new_id() for request in chunk]
            await self.send(
                [
                    Outgoing(PREDICTION_REQUESTS, request, request_id, request.entity_id.encode())
                    for request, request_id in zip(chunk, fresh, strict=True)
                ]
            )
            ids += fresh
        return ids

    async def publish_raw(
        self,
        values: Iterable[bytes | None],
        *,
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        """Publish values to the request topic just as they are, as a foreign producer would."""
        topic = self._naming.topic(PREDICTION_REQUESTS)
        # aiokafka takes a list of headers and nothing else
        records = [WireRecord(topic, None, key, value, list(headers)) for value in values]
        await self._connection.publish(records)

    def results(self, *, from_beginning: bool = False) -> Results:
        """Terminal events without duplicates, from now on or from the start of the topic."""
        topic = self._naming.topic(PREDICTION_RESULTS)
        return Results(lambda: self._connection.log(topic, from_beginning=from_beginning))

    # ---- models

    async def routes(self) -> Routes:
        """The models and ensembles that a request can name now."""
        async with self._connection.whole_log(self._naming.topic(ROUTES)) as log:
            return await read_routes(log)

    async def endpoints(self) -> Mapping[Endpoint, HealthSummary]:
        """How the endpoints that gateways asked in the last minutes do there, by model, version and URL."""
        async with self._connection.whole_log(self._naming.topic(ENDPOINT_HEALTH)) as log:
            return await read_endpoints(log, self._now())

    async def deploy(
        self,
        model: str,
        version: str,
        *,
        strategy: Strategy = Strategy.DIRECT,
        replicas: int = 1,
        feature_service: str | None = None,
        deployment_id: str | None = None,
        requested_by: str | None = None,
    ) -> Deployment:
        """Ask for a version to serve. Returns once that is published; the deployment tells its steps.

        `feature_service` has the features that requests may leave out.
        """
        try:
            request = DeploymentRequested(
                deployment_id=deployment_id or self._new_id(),
                model=model,
                version=version,
                strategy=strategy,
                replicas=replicas,
                feature_service=feature_service,
                requested_by=requested_by or user_name(),
            )
        except ValidationError as error:
            raise _invalid(error) from error
        return await self._request(request)

    async def retire(
        self,
        model: str,
        version: str,
        *,
        reason: str,
        deployment_id: str | None = None,
        requested_by: str | None = None,
    ) -> Deployment:
        """Ask for a version to stop, whether it serves or shadows. Returns once that is published."""
        try:
            request = DeploymentRetireRequested(
                deployment_id=deployment_id or self._new_id(),
                model=model,
                version=version,
                reason=reason,
                requested_by=requested_by or user_name(),
            )
        except ValidationError as error:
            raise _invalid(error) from error
        return await self._request(request)

    async def define_ensemble(
        self,
        name: str,
        members: Sequence[str],
        *,
        method: Method = Method.AVERAGE,
        weights: Mapping[str, float] | None = None,
        missing_policy: MissingPolicy = "any",
        coverage: float | None = None,
        deployment_id: str | None = None,
        requested_by: str | None = None,
    ) -> Deployment:
        """Ask for several models to answer as one. Returns once that is published."""
        try:
            request = EnsembleRequested(
                deployment_id=deployment_id or self._new_id(),
                model=name,
                members=list(members),
                method=method,
                weights=dict(weights) if weights is not None else None,
                missing_policy=missing_policy,
                coverage=coverage,
                requested_by=requested_by or user_name(),
            )
        except ValidationError as error:
            raise _invalid(error) from error
        return await self._request(request)

    async def send(self, outgoing: Sequence[Outgoing]) -> None:
        """Publish events of any type, such as a model.trained, and wait for every acknowledgement."""
        now = self._now()
        try:
            records = [write(each, self._author, now) for each in outgoing]
        except OutputTooLargeError as error:
            raise InvalidInputError(
                expected="an event that its topic allows", found=str(error), attempt="fewer or shorter fields"
            ) from error
        await self._connection.publish(records)

    # ---- dead letters

    def dead_letters(
        self,
        selection: Selection | None = None,
        *,
        topic: str | None = None,
        group: str | None = None,
        watch: Watch | None = None,
    ) -> DeadLetters:
        """The dead letters of a selection, or of a topic or a group: to iterate over, count or act on."""
        desk = Desk(self._connection, self._author, self._now)
        return DeadLetters(desk, selection or Selection(topic=topic, group=group), watch)

    async def viewer(self) -> Viewer:
        """What shows dead letters without what is sensitive; where no route can be read, with less."""
        try:
            routes = await self.routes()
        except EkibenError:
            routes = Routes({}, {})
        return Viewer(routes, self._naming.prefix)

    # ---- consumer groups

    @property
    def groups(self) -> Groups:
        """Where the consumer groups stand, what waits for them, and how one goes on after a gap."""
        return Groups(self._connection, self._naming)

    async def _request(
        self, request: DeploymentRequested | DeploymentRetireRequested | EnsembleRequested
    ) -> Deployment:
        log = await self._connection.log(self._naming.topic(DEPLOYMENT_EVENTS), from_beginning=False)
        outgoing = Outgoing(DEPLOYMENT_REQUESTS, request, request.deployment_id, request.model.encode())
        await self.send([outgoing])
        return Deployment(request.deployment_id, request.model, log)

    async def _await_answer(self, request: PredictionRequested, timeout_s: float) -> Result:
        answers = await self._answering()
        answer = answers.expect(str(request.request_id))
        try:
            async with asyncio.timeout(timeout_s):
                await self.publish(request)
                return await answer
        except TimeoutError:
            raise NoAnswerError(
                expected=f"the result of the request {request.request_id} within {timeout_s:g} s",
                found="none yet",
                attempt="`ekiben results --from-beginning`, a longer timeout, or `ekiben doctor`",
            ) from None
        finally:
            answer.cancel()

    async def _answering(self) -> Answers:
        async with self._answering_starts:
            if self._answers is None:
                answers = Answers(self.results())
                await answers.start()
                self._answers = answers
            return self._answers


def _invalid(error: ValidationError) -> InvalidInputError:
    return InvalidInputError(
        expected=f"a {error.title} that keeps its contract",
        found=describe(error),
        attempt="the fields as the contract has them",
    )
