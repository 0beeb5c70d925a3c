"""Records that nobody should send: nothing stops, nobody beside them suffers, each has its fate."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from ekiben_bus.cluster import KafkaCluster
from ekiben_bus.publishing import PartitionPublisher, WireRecord
from ekiben_bus.settings import KafkaSettings, ServiceSettings
from ekiben_contracts.topics import (
    GATEWAY,
    MODEL_OUTPUTS,
    PREDICTION_REQUESTS,
    PREDICTION_RESULTS,
    ROUTES,
    dead_letter_topic,
)
from ekiben_inference_gateway.app import build
from ekiben_inference_gateway.settings import GatewaySettings
from faults.conftest import Attack
from faults.corpus import CORPUS
from faults.corpus.hostile import Answered, Buried, Hostile, Refused, Scored, request
from faults.outside import Place, Reader, Writer
from unit.gateway.building import FakeModels, model
from unit.in_memory import running

PARTITIONS = PREDICTION_REQUESTS.partitions
CODECS = ("gzip", "snappy", "lz4", "zstd")
ANSWERED_WITHIN_S = 60.0


class Poisoned:
    """The requests of a test, and everything that came of them."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.requests = prefix + PREDICTION_REQUESTS.name
        self.outputs = prefix + MODEL_OUTPUTS.name
        self.results = prefix + PREDICTION_RESULTS.name
        self.graveyard = dead_letter_topic(self.requests, GATEWAY)
        self.writer = Writer(bootstrap)
        self._packers = {
            codec: Writer(bootstrap, self.writer.places, **{"compression.type": codec}) for codec in CODECS
        }
        self.reader = Reader(bootstrap, self.outputs, self.results, self.graveyard)

    def whose(self, missing: dict[str, set[str]]) -> dict[str, list[str]]:
        """The names of the records that miss something."""
        taken = {h.name: {str(self.place(h)), *self._outputs_of(h)} for h in CORPUS if self.place(h)}
        return {
            topic: [name for name, marks in taken.items() if marks & ids] or sorted(ids)
            for topic, ids in missing.items()
            if ids
        }

    def _outputs_of(self, hostile: Hostile) -> set[str]:
        return {f"{self.identity(hostile)}/{stage}/1" for stage in ("scored", "result")}

    async def send(self, number: int, hostile: Hostile) -> None:
        """Write a hostile record behind a good neighbour of the same partition."""
        partition = number % PARTITIONS
        self.send_good(f"good-{number}", partition)
        place = (hostile.name, self.requests, partition, hostile.key, hostile.value)
        headers = [(name, value) for name, value in hostile.headers if isinstance(name, str)]
        if len(headers) < len(hostile.headers):
            await self.writer.write_raw(*place, hostile.headers)
        else:
            writer = self._packers[hostile.packed] if hostile.packed else self.writer
            writer.write(*place, headers, hostile.at_ms)

    def flush(self) -> None:
        for writer in (self.writer, *self._packers.values()):
            writer.flush()

    def send_good(self, name: str, partition: int) -> None:
        self.writer.write(name, self.requests, partition, name.encode(), request(request_id=name))

    def place(self, hostile: Hostile) -> Place | None:
        return self.writer.places[hostile.name]

    def identity(self, hostile: Hostile) -> str:
        """The id of the request that it is, or claims to be."""
        given = hostile.fate.request_id if isinstance(hostile.fate, Scored | Answered) else None
        place = self.place(hostile)
        assert place is not None
        return given or f"{self.requests}-{place.partition}-{place.offset}"

    def expected(self) -> dict[str, set[str]]:
        """What has to be on each topic: ids of events, places of dead letters."""
        goods = [name for name in self.writer.places if name.startswith("good-")]
        found = {
            self.outputs: {f"{name}/scored/1" for name in goods},
            self.results: set[str](),
            self.graveyard: set[str](),
        }
        for hostile in CORPUS:
            match hostile.fate:
                case Scored():
                    found[self.outputs].add(f"{self.identity(hostile)}/scored/1")
                case Answered(reason=reason):
                    found[self.results].add(f"{self.identity(hostile)}/result/1")
                    if reason is not None:
                        found[self.graveyard].add(str(self.place(hostile)))
                case Buried():
                    found[self.graveyard].add(str(self.place(hostile)))
                case Refused():
                    assert self.place(hostile) is None, hostile.name
        return found

    def found(self) -> dict[str, list[str]]:
        """What is on each topic."""
        return {
            self.outputs: [record.header("ce_id") for record in self.reader.of(self.outputs)],
            self.results: [record.header("ce_id") for record in self.reader.of(self.results)],
            self.graveyard: [
                str(Place(int(record.header("dlq-partition")), int(record.header("dlq-offset"))))
                for record in self.reader.of(self.graveyard)
            ],
        }

    def missing(self) -> dict[str, set[str]]:
        found = self.found()
        return {topic: wanted - set(found[topic]) for topic, wanted in self.expected().items()}

    def check(self, hostile: Hostile) -> str | None:
        """What is wrong with what came of a record; None where it is as it has to be."""
        match hostile.fate:
            case Answered(code, _, reason):
                answer = self._answer(hostile)
                if answer["code"] != code:
                    return f"expected {code}, found {answer['code']}: {answer['message']}"
                return None if reason is None else self._check_letter(hostile, reason, answer["dead_letter"])
            case Buried(reason):
                return self._check_letter(hostile, reason)
            case _:
                return None

    def _answer(self, hostile: Hostile) -> dict[str, str]:
        wanted = f"{self.identity(hostile)}/result/1"
        (value,) = [r.value for r in self.reader.of(self.results) if r.header("ce_id") == wanted]
        return json.loads(value or b"")

    def _check_letter(self, hostile: Hostile, reason: str, named: str | None = None) -> str | None:
        place = self.place(hostile)
        assert place is not None
        (letter,) = [
            letter
            for letter in self.reader.of(self.graveyard)
            if (letter.header("dlq-partition"), letter.header("dlq-offset")) == tuple(map(str, place))
        ]
        if (letter.key, letter.value, letter.partition) != (hostile.key, hostile.value, place.partition):
            return "expected its bytes and its partition, found others"
        if letter.header("dlq-reason") != reason:
            return f"expected the reason {reason}, found {letter.header('dlq-reason')}"
        if named is not None and letter.header("dlq-id") != named:
            return f"expected the answer to name {letter.header('dlq-id')}, found {named}"
        kept = [(n, v) for n, v in letter.headers if not n.startswith("dlq-")]
        sent = [(n, v) for n, v in hostile.headers if isinstance(n, bytes) or not n.startswith("dlq-")]
        same = [v for _, v in kept] == [v for _, v in sent] and all(
            n == kept_name for (n, _), (kept_name, _) in zip(sent, kept, strict=False) if isinstance(n, str)
        )
        return None if same else "expected its own headers, found others"


@pytest.fixture
def poisoned(kafka_settings: KafkaSettings, topic_prefix: str) -> Iterator[Poisoned]:
    found = Poisoned(kafka_settings.bootstrap_servers, topic_prefix)
    yield found
    found.reader.close()


@pytest.fixture
async def routes(kafka_settings: KafkaSettings, topic_prefix: str) -> AsyncIterator[None]:
    """Two models that are routed."""
    publisher = PartitionPublisher(KafkaCluster(kafka_settings))
    events = [(name, model(name).to_json()) for name in ("delay", "weather")]
    await publisher.publish(
        [
            WireRecord(
                topic_prefix + ROUTES.name,
                0,
                f"model/{n}".encode(),
                v,
                [("ce_type", b"ekiben.model.routed.v1")],
            )
            for n, v in events
        ]
    )
    yield
    await publisher.stop()


async def test_poison_corpus(
    kafka_settings: KafkaSettings, topic_prefix: str, routes: None, poisoned: Poisoned, attack: Attack
) -> None:
    assert len(CORPUS) >= 200
    assert len({hostile.name for hostile in CORPUS}) == len(CORPUS)
    for number, hostile in enumerate(CORPUS):
        await poisoned.send(number, hostile)
    poisoned.flush()
    gateway = build(
        GatewaySettings(),
        # what is of the next release waits for a gateway that knows it
        ServiceSettings(topic_prefix=topic_prefix, retry_delays_s=(0.1, 0.2, 0.3)),
        kafka_settings,
        FakeModels().open,
    )
    async with running(gateway):
        began = time.monotonic()
        await poisoned.reader.until(lambda: not any(poisoned.missing().values()), ANSWERED_WITHIN_S)
        took = time.monotonic() - began
        batches = gateway.registry.get_sample_value(
            "ekiben_batch_records_count", {"topic": poisoned.requests}
        )
        for partition in range(PARTITIONS):  # it still goes on, everywhere
            poisoned.send_good(f"good-after-{partition}", partition)
        poisoned.writer.flush()
        await poisoned.reader.until(lambda: not any(poisoned.missing().values()), 10)
        await poisoned.reader.settle(1.0)
    missing, found, expected = poisoned.missing(), poisoned.found(), poisoned.expected()

    wrong = {h.name: told for h in CORPUS if not any(missing.values()) and (told := poisoned.check(h))}
    attack.report(
        records=len(poisoned.writer.places),
        faults=len(CORPUS),
        lost=sum(map(len, missing.values())),
        duplicated=sum(len(ids) - len(set(ids)) for ids in found.values()),
        out_of_order=0,
        recovered_s=[took],
    )
    assert poisoned.whose(missing) == {}
    assert poisoned.whose({topic: set(ids) - expected[topic] for topic, ids in found.items()}) == {}
    assert all(len(ids) == len(set(ids)) for ids in found.values())
    assert wrong == {}
    assert batches is not None
    assert batches < len(CORPUS) / 4, "expected several records to share a batch"
