"""The embedded Kafka of a local system: its port, and what happens when it dies."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time

import pytest

from ekiben.local import kafka
from ekiben.local.home import Home
from ekiben.local.kafka import SupervisedKafka
from ekiben.local.progress import State
from ekiben.local.restarts import BackOff
from ekiben_bus.brokers.errors import BrokerStartError
from ekiben_bus.brokers.ports import free_port
from ekiben_bus.brokers.probe import alive_brokers


@pytest.fixture
def told():
    return []


@pytest.fixture
def taken():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def supervised(tmp_path, told, port):
    back_off = BackOff(first_s=0.01)
    return SupervisedKafka(
        Home(tmp_path), port, back_off=back_off, clock=time.monotonic, on_progress=told.append
    )


async def test_where_its_usual_port_is_taken_it_says_so_and_takes_another(tmp_path, told, taken, monkeypatch):
    monkeypatch.setattr(kafka, "USUAL_PORT", taken)
    broker = supervised(tmp_path, told, port=None)
    try:
        await broker.start()
        port = int(broker.settings.bootstrap_servers.rpartition(":")[2])
        assert port != taken
        assert alive_brokers("127.0.0.1", port) == 1
        assert any(f"port {taken} is taken" in progress.detail for progress in told)
    finally:
        await broker.stop()


async def test_a_port_that_was_asked_for_and_is_taken_is_an_error(tmp_path, told, taken):
    broker = supervised(tmp_path, told, port=taken)
    with pytest.raises(BrokerStartError, match=f"port {taken}"):
        await broker.start()
    await broker.stop()


async def test_one_that_dies_is_started_again_on_its_port(tmp_path, told):
    port = free_port()
    broker = supervised(tmp_path, told, port)
    try:
        await broker.start()
        os.kill(broker.pid, signal.SIGKILL)
        async with asyncio.timeout(120):
            while [each.state for each in told].count(State.READY) < 2:
                await asyncio.sleep(0.05)
        assert alive_brokers("127.0.0.1", port) == 1
        assert State.DIED in {progress.state for progress in told}
    finally:
        await broker.stop()
    assert alive_brokers("127.0.0.1", port) == 0


async def test_stopped_while_it_starts_it_leaves_no_broker_behind(tmp_path, told):
    port = free_port()
    broker = supervised(tmp_path, told, port)
    starting = asyncio.create_task(broker.start())
    async with asyncio.timeout(60):
        while not told:
            await asyncio.sleep(0.01)
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    await broker.stop()
    assert alive_brokers("127.0.0.1", port) == 0
    assert broker.pid is None
