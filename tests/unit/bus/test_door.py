"""A login that is refused is not hammered."""

from __future__ import annotations

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, SaslAuthenticationFailed

from ekiben_bus.connection import client_options
from ekiben_bus.door import Door
from unit.bus.tiny_broker import by_password, tiny_broker


class Clock:
    """Moved by the test."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def tried_at(door: Door, clock: Clock, until_s: int) -> list[float]:
    """When one who asks ten times a second, and is always refused, gets as far as the broker."""
    tried: list[float] = []
    for tenth in range(until_s * 10):
        clock.now = tenth / 10
        try:
            door.knock()
        except SaslAuthenticationFailed:
            continue
        else:
            tried.append(clock.now)
            door.refused(SaslAuthenticationFailed("wrong"))
    return tried


def test_the_waits_double_up_to_a_minute():
    clock = Clock()
    assert tried_at(Door(clock), clock, 200) == [0, 1, 3, 7, 15, 31, 63, 123, 183]


def test_while_one_of_us_tries_again_nobody_else_does():
    clock = Clock()
    door = Door(clock)
    door.refused(SaslAuthenticationFailed("wrong"))
    clock.now = 5.0
    door.knock()
    with pytest.raises(SaslAuthenticationFailed, match="wrong"):
        door.knock()


def test_once_let_in_it_is_open_for_everybody():
    clock = Clock()
    door = Door(clock)
    door.refused(SaslAuthenticationFailed("wrong"))
    clock.now = 5.0
    door.knock()
    door.opened()
    door.knock()
    assert door.closed_for_s == 0


async def test_clients_of_the_same_settings_share_it():
    async with tiny_broker() as broker:
        broker.refuses = True
        options = client_options(by_password(broker))
        for _ in range(2):
            producer = AIOKafkaProducer(**options)
            with pytest.raises(KafkaConnectionError):
                await producer.start()
            await producer.stop()
        assert broker.logins == 1
