"""Consumers of one group join and leave every 500 ms for a minute, while requests keep coming."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress

import pytest

from conformance.world import until
from ekiben_bus.service import Service
from ekiben_bus.settings import KafkaSettings, ServiceSettings
from ekiben_contracts.topics import GATEWAY, PREDICTION_REQUESTS, PREDICTION_RESULTS
from faults.answering import TAKES, answer_all
from faults.soak.client import Listener, Publisher, read_to_the_end
from faults.soak.ledger import audit

A_MINUTE = 60.0
EVERY_S = 0.5
AT_LEAST = 2
MANY_OWNERS = 10
REQUESTS = 24_000
MODELS = ("mild", "keen")
ANSWERED_WITHIN_S = 120.0


@pytest.mark.kafka
@pytest.mark.timeout(400)
async def test_rebalance_monkey(attack, kafka_settings, topic_prefix, monkeypatch):
    monkeypatch.setenv(TAKES, "0.2")  # so that there is a batch in flight at every change
    requests, results = (topic_prefix + topic.name for topic in (PREDICTION_REQUESTS, PREDICTION_RESULTS))
    servers = kafka_settings.bootstrap_servers
    group = Group(kafka_settings, topic_prefix)
    group.join()
    listener = Listener(servers, results)
    publisher = Publisher(servers, requests, MODELS, REQUESTS, streamed=REQUESTS, per_s=REQUESTS / A_MINUTE)
    changes = await group.churn(A_MINUTE, random.Random(7))
    meanwhile, ended = len(listener.answered_at), time.monotonic()
    await asyncio.to_thread(publisher.finish)
    # an acknowledgement without a place is a guess of the client's, not the broker's word
    assert [sent for sent in publisher.sent if sent.offset is None] == []
    with suppress(TimeoutError):  # the ledger names what is missing
        await until(lambda: len(listener.answered_at) >= REQUESTS, ANSWERED_WITHIN_S)
    recovered_s = time.monotonic() - ended
    await group.disband()
    listener.close()
    found = audit(publisher.sent, [], list(read_to_the_end(servers, results)), ())
    print(
        f"{group.owners} members had a share of the topic, {meanwhile:,} were answered meanwhile, "
        f"{found.redelivered:,} redelivered with an equal id"
    )
    attack.report(
        records=found.requests,
        faults=changes,
        lost=len(found.lost),
        duplicated=len(found.duplicated),
        out_of_order=len(found.out_of_order),
        recovered_s=[recovered_s],
    )
    assert found.wrongs == {}
    assert found.requests == found.ordered == REQUESTS
    # who leaves finishes and commits first; only whom a slow machine lets be expelled does not
    assert found.redelivered < REQUESTS / 100
    assert changes >= 2 * (A_MINUTE / EVERY_S - AT_LEAST)
    assert group.owners > MANY_OWNERS
    assert meanwhile > REQUESTS / 10, "it went on between the changes"


class Group:
    """Services of one consumer group, some of them on their way in or out."""

    def __init__(self, kafka: KafkaSettings, prefix: str) -> None:
        self._kafka = kafka
        self._settings = ServiceSettings(topic_prefix=prefix, batch_records=100)
        self._owners: set[Service] = set()
        self._members: list[tuple[Service, asyncio.Task[None]]] = []
        self._leaving: list[asyncio.Task[None]] = []

    @property
    def owners(self) -> int:
        """How many were ever seen with partitions of their own: joined in earnest."""
        return len(self._owners)

    def join(self) -> None:
        service = Service(GATEWAY, self._settings, self._kafka)
        service.consume(PREDICTION_REQUESTS, answer_all)
        self._members.append((service, asyncio.create_task(service.serve())))

    async def churn(self, seconds: float, chance: random.Random) -> int:
        """One joins and one leaves at every tick, whether the last change is over or not; how many did."""
        changes = 0
        for _ in range(int(seconds / EVERY_S)):
            await asyncio.sleep(EVERY_S)
            self._owners |= {service for service, _ in self._members if service.owns(PREDICTION_REQUESTS)}
            self.join()
            changes += 1
            if len(self._members) > AT_LEAST:
                self._leave(chance.randrange(len(self._members)))
                changes += 1
        return changes

    async def disband(self) -> None:
        """All leave; raises what any of them raised."""
        while self._members:
            self._leave(0)
        await asyncio.gather(*self._leaving)

    def _leave(self, which: int) -> None:
        service, serving = self._members.pop(which)
        service.stop()
        self._leaving.append(serving)
