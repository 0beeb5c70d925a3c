"""A service that lacks a right says so, waits, and goes on where it was as soon as it is granted."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from time import monotonic

import httpx
import pytest

from ekiben.client import Ekiben
from ekiben.errors import ForbiddenError
from ekiben_bus.acl_plan import Binding, Operation, Resource
from ekiben_bus.acls import apply_acls
from ekiben_bus.naming import Naming
from ekiben_bus.records import Received
from ekiben_bus.service import Service
from ekiben_bus.settings import ServiceSettings
from ekiben_bus.topics import apply_topics
from ekiben_bus.verdicts import Emit, Outgoing, Verdict
from ekiben_contracts.prediction import FailureCode, PredictionFailed, PredictionRequested
from ekiben_contracts.topics import GATEWAY, PREDICTION_REQUESTS, PREDICTION_RESULTS, ROUTES
from integration.security.granting import give, take
from integration.security.secure_kafka import ADMIN, SecureKafka

pytestmark = pytest.mark.kafka
DEADLINE_S = 60.0
NAMING = Naming("rights.")
DEAD_LETTERS = f"rights.{PREDICTION_REQUESTS.name}.{GATEWAY}.dlq"


def right(operation: Operation, resource: Resource, name: str) -> Binding:
    return Binding(f"User:{GATEWAY}", resource, name, operation)


READ_REQUESTS = right(Operation.READ, Resource.TOPIC, NAMING.topic(PREDICTION_REQUESTS))
JOIN = right(Operation.READ, Resource.GROUP, NAMING.group(GATEWAY))
READ_ROUTES = right(Operation.READ, Resource.TOPIC, NAMING.topic(ROUTES))
WRITE_RESULTS = right(Operation.WRITE, Resource.TOPIC, NAMING.topic(PREDICTION_RESULTS))
WRITE_DEAD_LETTERS = right(Operation.WRITE, Resource.TOPIC, DEAD_LETTERS)
EACH = pytest.mark.parametrize(
    "missing",
    [READ_REQUESTS, JOIN, READ_ROUTES, WRITE_RESULTS, WRITE_DEAD_LETTERS],
    ids=["read-requests", "join", "read-routes", "write-results", "write-dead-letters"],
)


@pytest.fixture(scope="module")
def granted(secure_kafka: SecureKafka) -> None:
    asyncio.run(_grant(secure_kafka))


async def _grant(secure_kafka: SecureKafka) -> None:
    await apply_topics(secure_kafka.scram(ADMIN), NAMING)
    await apply_acls(secure_kafka.scram(ADMIN), NAMING)


@EACH
async def test_a_right_that_is_taken_away_is_named_and_nothing_is_lost(secure_kafka, granted, missing):
    async with serving(secure_kafka) as service, users(secure_kafka) as ekiben:
        await until(lambda: problems(service) == [])
        take(secure_kafka.scram(ADMIN), missing)
        try:
            asked = await ask(ekiben)
            await until(lambda: names(problems(service), missing))
        finally:
            give(secure_kafka.scram(ADMIN), missing)
        await answered(ekiben, asked)
        await until(lambda: problems(service) == [])


@EACH
async def test_one_that_starts_without_a_right_waits_for_it(secure_kafka, granted, missing):
    take(secure_kafka.scram(ADMIN), missing)
    try:
        async with serving(secure_kafka) as service, users(secure_kafka) as ekiben:
            asked = await ask(ekiben)
            await until(lambda: names(problems(service), missing))
            give(secure_kafka.scram(ADMIN), missing)
            await answered(ekiben, asked)
            await until(lambda: problems(service) == [])
    except BaseException:
        give(secure_kafka.scram(ADMIN), missing)
        raise


async def test_one_that_waits_for_a_right_can_be_stopped(secure_kafka, granted):
    take(secure_kafka.scram(ADMIN), READ_ROUTES)
    try:
        async with serving(secure_kafka) as service:
            await until(lambda: names(problems(service), READ_ROUTES))
    finally:
        give(secure_kafka.scram(ADMIN), READ_ROUTES)


async def test_a_user_is_told_who_may_not_do_what_and_what_to_try(secure_kafka, granted):
    async with Ekiben(kafka=secure_kafka.scram("trainer"), topic_prefix=NAMING.prefix) as ekiben:
        with pytest.raises(ForbiddenError) as writing:
            await ask(ekiben)
        with pytest.raises(ForbiddenError) as reading:
            await anext(aiter(ekiben.results(from_beginning=True).to_end()))
        with pytest.raises(ForbiddenError) as asking:
            await ekiben.groups.standings(group=GATEWAY)
    told = str(writing.value)
    assert "User:trainer to be allowed Describe on the topic rights.ekiben.prediction-requests" in told
    assert "`ekiben topics acls`" in told
    assert "User:trainer to be allowed Describe on the topic rights.ekiben.prediction-res" in str(
        reading.value
    )
    assert "User:trainer to be allowed" in str(asking.value)


# ---- a gateway that asks no model


@asynccontextmanager
async def serving(secure_kafka: SecureKafka) -> AsyncIterator[Service]:
    settings = ServiceSettings(topic_prefix=NAMING.prefix, health_port=0)
    service = Service(GATEWAY, settings, secure_kafka.scram(GATEWAY))
    service.table(ROUTES)
    service.consume(PREDICTION_REQUESTS, refuse)
    running = asyncio.create_task(service.serve())
    try:
        yield service
    finally:
        service.stop()
        await running


async def refuse(batch: Sequence[Received]) -> Sequence[Verdict]:
    return [Emit((Outgoing(PREDICTION_RESULTS, failed(each), f"{each.ce_id}/result/1"),)) for each in batch]


def failed(received: Received) -> PredictionFailed:
    return PredictionFailed(
        request_id=received.ce_id or "",
        model="any",
        entity_id="any",
        code=FailureCode.UNKNOWN_MODEL,
        message="there is none",
        retryable=True,
        failed_at=datetime.now(UTC),
    )


def problems(service: Service) -> list[str]:
    """What /readyz says; that it is starting, before anybody listens."""
    try:
        answer = httpx.get(f"http://127.0.0.1:{service.health_port}/readyz", timeout=5)
    except httpx.HTTPError as error:
        return [repr(error)]
    found = answer.json()["problems"]
    assert (answer.status_code == 200) is not bool(found)
    return found


def names(found: Sequence[str], missing: Binding) -> bool:
    told = " ".join(found)
    return (
        missing.principal in told
        and f"on the {missing.resource} {missing.name}" in told
        and "`ekiben topics acls`" in told
    )


# ---- those who ask


@asynccontextmanager
async def users(secure_kafka: SecureKafka) -> AsyncIterator[Ekiben]:
    async with Ekiben(kafka=secure_kafka.scram("users"), topic_prefix=NAMING.prefix) as ekiben:
        yield ekiben


async def ask(ekiben: Ekiben) -> set[str]:
    """Some requests, and one record that can only become a dead letter."""
    await ekiben.publish_raw([b"not JSON"])
    ids = [secrets.token_hex(4) for _ in range(20)]
    return {
        await ekiben.publish(PredictionRequested(request_id=one, model="any", entity_id=one)) for one in ids
    }


async def answered(ekiben: Ekiben, asked: set[str]) -> None:
    """Return when every request has its result."""
    deadline = monotonic() + DEADLINE_S
    while not asked <= {result.request_id async for result in ekiben.results(from_beginning=True).to_end()}:
        assert monotonic() < deadline, "some request has no result"
        await asyncio.sleep(0.2)


async def until(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + DEADLINE_S
    while not await asyncio.to_thread(condition):
        assert monotonic() < deadline, "it did not come true in time"
        await asyncio.sleep(0.1)
