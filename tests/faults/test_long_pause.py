"""A service that is stopped for long, or has nothing to do for long, goes on where it was.

The timeouts are shortened instead of waiting ten minutes: a pause outlasts the consumer's session four
times, and the longest time between two polls; an idle outlasts everything that a broker forgets.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import Self

import pytest
from confluent_kafka.admin import AdminClient

from conftest import delete_topics
from e2e.waiting import until
from ekiben_bus.brokers.embedded import EmbeddedKafka
from ekiben_bus.brokers.ports import free_port
from ekiben_bus.naming import Naming
from ekiben_bus.settings import KafkaSettings
from ekiben_bus.topics import apply_topics
from ekiben_contracts.topics import GATEWAY, PREDICTION_REQUESTS, PREDICTION_RESULTS
from faults.answering import TAKES
from faults.soak.client import Listener, Publisher, read_to_the_end
from faults.soak.ledger import Audit, audit
from faults.soak.victims import is_ready

PREFIXES = ("paused-alone.", "paused-in-company.")
SHORTENED = {"EKIBEN_BATCH_TIMEOUT_S": "1", "EKIBEN_LONGEST_BACKOFF_S": "0.2", "EKIBEN_BATCH_RECORDS": "100"}
LONGEST_POLL_INTERVAL_S = 1 + 0.2 + 20
PAUSE_S = LONGEST_POLL_INTERVAL_S + 4
PER_S = 100
REQUESTS = 4_000
ANSWERED_WITHIN_S = 60

FORGETFUL = {
    "connections.max.idle.ms": "1000",
    "producer.id.expiration.ms": "1000",
    "producer.id.expiration.check.interval.ms": "500",
}
IDLE_S = 8.0
BURSTS = 3
A_FEW = 100


@pytest.fixture
def prefixes(kafka_settings: KafkaSettings) -> Iterator[tuple[str, ...]]:
    for prefix in PREFIXES:
        asyncio.run(apply_topics(kafka_settings, Naming(prefix)))
    yield PREFIXES
    for prefix in PREFIXES:
        asyncio.run(delete_topics(kafka_settings, prefix))


@pytest.mark.kafka
def test_long_pause(attack, kafka_settings, prefixes):
    with ThreadPoolExecutor() as hands:
        outcomes = list(hands.map(partial(pause_one, kafka_settings), prefixes, (1, 2)))
    found = [audited for audited, _ in outcomes]
    report(attack, found, len(found), [recovered_s for _, recovered_s in outcomes])
    assert [each.wrongs for each in found] == [{}, {}]
    assert [each.ordered for each in found] == [REQUESTS, REQUESTS]


@pytest.mark.kafka
def test_long_idle(attack, tmp_path):
    with EmbeddedKafka(tmp_path, overrides=FORGETFUL) as kafka:
        settings = KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, security_protocol="PLAINTEXT")
        asyncio.run(apply_topics(settings, Naming("idle.")))
        with (
            serving(settings, "idle.", 0.0) as member,
            Client(settings, "idle.", A_FEW * BURSTS, streamed=0) as client,
        ):
            for idle in range(BURSTS):
                client.publisher.burst(A_FEW)
                client.wait_for_answers(A_FEW * (idle + 1))
                time.sleep(IDLE_S if idle < BURSTS - 1 else 0.0)  # nothing is awaited: nothing happens
            found = client.audit()
            assert member.is_ready()
    report(attack, [found], BURSTS - 1, [])
    assert found.wrongs == {}
    assert found.requests == found.ordered == A_FEW * BURSTS


def pause_one(kafka: KafkaSettings, prefix: str, members: int) -> tuple[Audit, float]:
    """Stop one of so many under load, let it go on, and have it answer the rest alone.

    The audit, and the seconds from the end of the pause until all sent before it were answered.
    """
    with ExitStack() as stack:
        paused, *others = [stack.enter_context(serving(kafka, prefix, 0.2)) for _ in range(members)]
        client = stack.enter_context(Client(kafka, prefix, REQUESTS, streamed=REQUESTS))
        until(lambda: client.listener.answered_at, "the first answer")
        until(paused.is_ready, "it to be ready")
        paused.send(signal.SIGSTOP)
        time.sleep(PAUSE_S)  # the fault itself
        assert members_of(kafka, prefix + GATEWAY) == len(others), "it has been expelled from its group"
        sent = len(client.publisher.sent)
        paused.send(signal.SIGCONT)
        continued = time.monotonic()
        client.wait_for_answers(sent)
        recovered_s = time.monotonic() - continued
        until(paused.is_ready, "it to be a member again")
        for other in others:
            other.send(signal.SIGTERM)
            assert other.wait() == 0
        client.publisher.finish()
        client.wait_for_answers(REQUESTS)
        return client.audit(), recovered_s


def members_of(kafka: KafkaSettings, group: str) -> int:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    return len(admin.describe_consumer_groups([group])[group].result(60).members)


def report(attack, found, faults, recovered_s):
    attack.report(
        records=sum(each.requests for each in found),
        faults=faults,
        lost=sum(len(each.lost) for each in found),
        duplicated=sum(len(each.duplicated) for each in found),
        out_of_order=sum(len(each.out_of_order) for each in found),
        recovered_s=recovered_s,
    )


class Member:
    """A process with a service in it."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._port = free_port()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "faults.answering"],
            env={**environment, "EKIBEN_HEALTH_PORT": str(self._port)},
        )

    def is_ready(self) -> bool:
        assert self._process.poll() is None
        return is_ready(self._port)

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self) -> int:
        return self._process.wait(60)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


@contextmanager
def serving(kafka: KafkaSettings, prefix: str, takes_s: float) -> Iterator[Member]:
    member = Member(
        {
            **os.environ,
            **SHORTENED,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "KAFKA_SECURITY_PROTOCOL": kafka.security_protocol,
            "EKIBEN_TOPIC_PREFIX": prefix,
            TAKES: str(takes_s),
        }
    )
    try:
        until(member.is_ready, "a service to get ready")
        yield member
    finally:
        member.end()


class Client:
    """Publisher and listener of one group of services."""

    def __init__(self, kafka: KafkaSettings, prefix: str, requests: int, *, streamed: int) -> None:
        topics = [prefix + topic.name for topic in (PREDICTION_REQUESTS, PREDICTION_RESULTS)]
        self._servers, (asked, self._answers) = kafka.bootstrap_servers, topics
        self.listener = Listener(self._servers, self._answers)
        self.publisher = Publisher(
            self._servers, asked, ("mild", "keen"), requests, streamed=streamed, per_s=PER_S
        )

    def wait_for_answers(self, count: int) -> None:
        """Until there are so many, or nobody can hope for more: the ledger names what is missing."""
        with suppress(TimeoutError):
            until(lambda: len(self.listener.answered_at) >= count, "every answer", ANSWERED_WITHIN_S)

    def audit(self) -> Audit:
        return audit(self.publisher.sent, [], list(read_to_the_end(self._servers, self._answers)), ())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.close()
        self.publisher.close()
