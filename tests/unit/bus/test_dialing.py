"""Our connections are ours, and those of whoever else uses aiokafka in the process stay as they are."""

from __future__ import annotations

from typing import Any

import aiokafka.client as clients
import aiokafka.conn as connections
from aiokafka.client import AIOKafkaClient

from ekiben_bus.cluster import KafkaCluster
from ekiben_bus.connection import client_options
from ekiben_bus.dialing import Connection
from unit.bus.tiny_broker import by_password, tiny_broker


def test_what_is_put_in_aiokafka_s_place_is_there():
    assert callable(clients.create_conn)
    assert {"connect", "close", "authenticator_oauth"} <= set(vars(connections.AIOKafkaConnection))


async def test_others_keep_aiokafka_s_own_connections():
    async with tiny_broker() as broker:
        options = client_options(by_password(broker))
        ours = await connected(AIOKafkaClient(**options))
        theirs = await connected(AIOKafkaClient(**{**options, "client_id": "another"}))
    assert ours is Connection
    assert theirs is connections.AIOKafkaConnection


async def test_a_consumer_is_ours_whatever_its_framework_calls_it():
    async with tiny_broker() as broker:
        consumer: Any = KafkaCluster(by_password(broker)).consumer(client_id="of the framework")
        assert await connected(consumer._client) is Connection


async def connected(client: AIOKafkaClient) -> type:
    """What it connects by."""
    await client.bootstrap()
    try:
        return type(await client._get_conn(0))
    finally:
        await client.close()
