"""What our connections to a broker do otherwise than aiokafka 0.14's. Nobody else's are touched.

- They close within a moment. A loop that says goodbye over TLS waits for the broker's. When an answer to an
  earlier request comes in between, such as that of the fetch that a reader always has on its way, uvloop
  does not see the goodbye behind it, and gives up after 30 s. All that matters was acknowledged before.
- They heed it when a token is refused. A broker answers a bad one with a JSON of its reason, and fails the
  login once the client has acknowledged that (RFC 7628, 3.2.3). aiokafka never looks at the answer: it goes
  on as if it were logged in, reads the protest as an empty cluster, and dies of an AttributeError.
- They knock at a `Door`, where aiokafka tries a refused login again ten times a second.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any, Self

import aiokafka.client as clients
from aiokafka.conn import AIOKafkaConnection, OAuthAuthenticator
from aiokafka.errors import SaslAuthenticationFailed

from ekiben_bus.door import Door

_POLITE_S = 0.5
_PATIENCE_S = 0.5
"""Before a closed door: aiokafka asks, and logs, again at once."""
_ACKNOWLEDGED = b"\x01"
_dial_theirs = clients.create_conn


class ClientId(str):
    """What our clients call themselves to brokers; connections that have it are ours, and share its doors."""

    __slots__ = ("doors",)
    doors: defaultdict[tuple[str, int], Door]

    def __new__(cls, name: str) -> Self:
        made = super().__new__(cls, name)
        made.doors = defaultdict(Door)
        return made


class Connection(AIOKafkaConnection):
    """One of ours."""

    def __init__(self, host: str, port: int, *, client_id: ClientId, **options: Any) -> None:
        super().__init__(host, port, client_id=client_id, **options)
        self._door = client_id.doors[host, port]

    async def connect(self) -> object:
        """See AIOKafkaConnection.connect.

        Raises:
            SaslAuthenticationFailed: the login is refused, now or a short while ago.
        """
        door = self._door
        await asyncio.sleep(min(door.closed_for_s, _PATIENCE_S))
        door.knock()
        try:
            connected = await super().connect()
        except SaslAuthenticationFailed as error:
            door.refused(error)
            raise
        door.opened()
        return connected

    def close(self, reason: object = None, exc: BaseException | None = None) -> object:
        """See AIOKafkaConnection.close."""
        transport = self._writer.transport if self._ssl_context and self._writer is not None else None
        closed = super().close(reason, exc)
        if transport is not None:
            self._loop.call_later(_POLITE_S, transport.abort)
        return closed

    def authenticator_oauth(self) -> OAuthAuthenticator:
        """See AIOKafkaConnection.authenticator_oauth."""
        return _HeedingAuthenticator(sasl_oauth_token_provider=self._sasl_oauth_token_provider)


class _HeedingAuthenticator(OAuthAuthenticator):
    _acknowledged = False

    async def step(self, payload: bytes | None) -> tuple[bytes, bool] | None:
        """What to send next, and whether an answer comes; None once the broker has nothing to object."""
        if not payload or self._acknowledged:
            return await super().step(payload)
        self._acknowledged = True
        return _ACKNOWLEDGED, True


def dial_our_own() -> None:
    """Have aiokafka's clients make our connections where they are made by us. Again, it changes nothing."""
    clients.create_conn = dial


async def dial(host: str, port: int, **options: Any) -> AIOKafkaConnection:
    """In place of aiokafka's create_conn."""
    if not isinstance(options.get("client_id"), ClientId):
        return await _dial_theirs(host, port, **options)
    connection = Connection(host, port, **options)
    await connection.connect()
    return connection
