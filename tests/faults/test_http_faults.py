"""Everything that can go wrong between the gateway and a real model server, and the verdict about each."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from ekiben_bus.settings import KafkaSettings, ServiceSettings
from ekiben_contracts.topics import (
    GATEWAY,
    MODEL_OUTPUTS,
    PARKED,
    PREDICTION_REQUESTS,
    PREDICTION_RESULTS,
    RETRIES,
    dead_letter_topic,
    side_topic,
)
from ekiben_inference_gateway.app import build
from ekiben_inference_gateway.settings import GatewaySettings
from faults.conftest import Attack
from faults.fault_proxy import FaultProxy, before
from faults.http_faults import FAULTS, REFUSED, ROWS, Verdict
from faults.model_servers import SICK, WELL, ModelServer, model_servers, publish_routes
from faults.outside import Reader, Writer
from unit.in_memory import running

__all__ = ["model_servers"]  # a fixture

WITHIN_S = 20.0
RETRY_S = 0.5


class Wire:
    """What is asked, and what came of it, by request id."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.requests = prefix + PREDICTION_REQUESTS.name
        self.outputs = prefix + MODEL_OUTPUTS.name
        self.results = prefix + PREDICTION_RESULTS.name
        self.dead = dead_letter_topic(self.requests, GATEWAY)
        self.parked = side_topic(self.requests, GATEWAY, PARKED)
        self.retried = side_topic(self.requests, GATEWAY, RETRIES[0])
        self._writer = Writer(bootstrap, **{"linger.ms": 50})
        self.reader = Reader(bootstrap, self.outputs, self.results, self.dead, self.parked, self.retried)

    def ask(self, *asked: tuple[str, str]) -> None:
        """Write requests (id, model), all in one batch."""
        for name, model in asked:
            body = {"request_id": name, "model": model, "entity_id": name, "features": {"x": 1.0}}
            self._writer.write(name, self.requests, 1, name.encode(), json.dumps(body).encode())
        self._writer.flush()

    def ids(self, topic: str) -> list[str]:
        """Whose records are on a topic; every key here is an id."""
        return [(record.key or b"").decode() for record in self.reader.of(topic)]

    async def until(self, ids: set[str], *topics: str) -> bool:
        """Whether all of these came to be on each of the topics in time."""

        def there() -> bool:
            return all(ids <= set(self.ids(topic)) for topic in topics)

        await self.reader.until(there, WITHIN_S)
        return there()

    def reasons(self, ids: set[str]) -> set[str]:
        """Why these are dead."""
        dead = [record for record in self.reader.of(self.dead) if (record.key or b"").decode() in ids]
        return {record.header("dlq-reason") for record in dead}

    def codes(self, ids: set[str]) -> set[str]:
        """What these were told."""
        answers = [json.loads(record.value or b"") for record in self.reader.of(self.results)]
        return {answer["code"] for answer in answers if answer["request_id"] in ids}


class Trial:
    """One fault: some requests meet it, beside one for a model that is well."""

    def __init__(self, wire: Wire, proxy: FaultProxy, name: str) -> None:
        self._wire, self._proxy, self._name = wire, proxy, name
        slug = name.replace(" ", "-")
        self.sick = [f"{slug}/{number}" for number in range(ROWS)]
        self.well = f"{slug}/well"

    async def run(self) -> str | None:
        """What is wrong with what came of it; None where it is as it has to be."""
        verdict, fault = FAULTS[self._name]
        self._proxy.fault = fault
        if self._name == REFUSED:
            await self._proxy.refuse()
        self._wire.ask((self.sick[0], SICK), (self.well, WELL), *((name, SICK) for name in self.sick[1:]))
        if not await self._wire.until({self.well}, self._wire.outputs):
            return "expected its neighbour's answer, found none"
        wrong = await {
            Verdict.PARKED: self._parked,
            Verdict.RETRIED: self._retried,
            Verdict.DEAD: self._dead,
            Verdict.ONE_ROW_DEAD: self._one_dead,
        }[verdict]()
        await self._proxy.heal()
        return wrong

    async def _parked(self) -> str | None:
        return await self._waits(self._wire.parked) or self._misled(self._wire.retried)

    async def _retried(self) -> str | None:
        return await self._waits(self._wire.retried) or self._misled(self._wire.parked)

    async def _waits(self, topic: str) -> str | None:
        ids = set(self.sick)
        if not await self._wire.until(ids, topic):
            return f"expected all of them on {topic}, found {self._whereabouts()}"
        calls = self._proxy.calls
        await self._proxy.heal()
        if not await self._wire.until(ids, self._wire.outputs):
            return f"expected them answered once it was well, found {self._whereabouts()} after {calls} calls"
        return self._misled(self._wire.dead, self._wire.results)

    async def _dead(self) -> str | None:
        return await self._buried(set(self.sick)) or self._misled(self._wire.outputs)

    async def _one_dead(self) -> str | None:
        first, *others = self.sick
        if not await self._wire.until(set(others), self._wire.outputs):
            return f"expected the others answered, found {self._whereabouts()}"
        return await self._buried({first})

    async def _buried(self, ids: set[str]) -> str | None:
        if not await self._wire.until(ids, self._wire.dead, self._wire.results):
            return f"expected dead letters and answers, found {self._whereabouts()}"
        if (found := (self._wire.reasons(ids), self._wire.codes(ids))) != ({"model-error"}, {"internal"}):
            return f"expected model-error and internal, found {found}"
        return self._misled(self._wire.parked, self._wire.retried)

    def _misled(self, *topics: str) -> str | None:
        found = {topic for topic in topics if set(self.sick) & set(self._wire.ids(topic))}
        return f"expected none of them on {found}" if found else None

    def _whereabouts(self) -> dict[str, list[str]]:
        return {
            record.topic.rpartition("ekiben.")[2]: [
                name for name in self._wire.ids(record.topic) if name in self.sick
            ]
            for record in self._wire.reader.records
            if (record.key or b"").decode() in self.sick
        }


@pytest.fixture
def wire(kafka_settings: KafkaSettings, topic_prefix: str) -> Iterator[Wire]:
    found = Wire(kafka_settings.bootstrap_servers, topic_prefix)
    yield found
    found.reader.close()


async def test_http_faults(
    kafka_settings: KafkaSettings,
    topic_prefix: str,
    wire: Wire,
    model_servers: dict[str, ModelServer],
    attack: Attack,
) -> None:
    service_settings = ServiceSettings(
        topic_prefix=topic_prefix, retry_delays_s=(RETRY_S,) * 3, backoff_s=0.1, longest_backoff_s=0.3
    )
    wrong: dict[str, str] = {}
    took: list[float] = []
    async with before(model_servers[SICK].served.url) as proxy:
        routes = model_servers[SICK].route(proxy.url), model_servers[WELL].route()
        await publish_routes(kafka_settings, topic_prefix, *routes)
        async with running(build(GatewaySettings(), service_settings, kafka_settings)):
            wire.ask(("warm/sick", SICK), ("warm/well", WELL))
            assert await wire.until({"warm/sick", "warm/well"}, wire.outputs)
            for name in FAULTS:
                began = time.monotonic()
                if told := await Trial(wire, proxy, name).run():
                    wrong[name] = told
                took.append(time.monotonic() - began)
            wrong |= await _kept_failing(wire, proxy)
    asked = 2 + len(FAULTS) * (ROWS + 1) + 1
    answers = [*wire.ids(wire.outputs), *wire.ids(wire.results)]
    attack.report(
        records=asked,
        faults=len(FAULTS) + 1,
        lost=asked - len(set(answers)),
        duplicated=len(answers) - len(set(answers)),
        out_of_order=0,
        recovered_s=took,
    )
    assert wrong == {}
    assert len(answers) == len(set(answers)) == asked


async def _kept_failing(wire: Wire, proxy: FaultProxy) -> dict[str, str]:
    """A 500 for ever: tried on each retry topic, and then a dead letter that says so."""
    proxy.fault = FAULTS["500"][1]
    calls = proxy.calls
    wire.ask(("for-ever", SICK))
    ids = {"for-ever"}
    if not await wire.until(ids, wire.dead, wire.results):
        return {"a 500 for ever": "expected a dead letter and an answer, found none"}
    found = (wire.reasons(ids), wire.codes(ids), proxy.calls - calls)
    return {} if found == ({"retries-exhausted"}, {"internal"}, 4) else {"a 500 for ever": f"found {found}"}
