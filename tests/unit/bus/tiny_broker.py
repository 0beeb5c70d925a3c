"""As much of a broker as a login takes: versions, SASL PLAIN, and the brokers there are, itself alone."""

from __future__ import annotations

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from aiokafka.protocol.admin import (
    ApiVersionResponse_v0,
    SaslAuthenticateResponse_v0,
    SaslHandShakeResponse_v1,
)
from aiokafka.protocol.metadata import MetadataResponse_v1
from pydantic import SecretStr

from ekiben_bus.brokers.certificates import LOOPBACK, Authority
from ekiben_bus.settings import KafkaSettings

_METADATA, _HANDSHAKE, _VERSIONS, _AUTHENTICATE = 3, 17, 18, 36
_SASL_AUTHENTICATION_FAILED = 58


class TinyBroker:
    """Lets everybody in, or, with `refuses`, nobody; it counts both, and keeps what was asked of metadata."""

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.refuses = False
        self.logins = 0
        self.metadata_requests: list[bytes] = []
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self, context: ssl.SSLContext | None = None) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Nobody listens, and every connection breaks."""
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                (size,) = struct.unpack(">i", await reader.readexactly(4))
                asked = await reader.readexactly(size)
                answer = asked[4:8] + self._answer(int.from_bytes(asked[:2], "big"), asked)
                writer.write(struct.pack(">i", len(answer)) + answer)
                if self.refuses and asked[:2] == _AUTHENTICATE.to_bytes(2, "big"):
                    break
        self._writers.discard(writer)
        writer.close()

    def _answer(self, api: int, asked: bytes) -> bytes:
        if api == _VERSIONS:
            spoken = [(_METADATA, 1, 1), (_HANDSHAKE, 1, 1), (_AUTHENTICATE, 0, 0)]
            return ApiVersionResponse_v0(0, spoken).encode()
        if api == _HANDSHAKE:
            return SaslHandShakeResponse_v1(0, ["PLAIN"]).encode()
        if api == _AUTHENTICATE:
            self.logins += 1
            code = _SASL_AUTHENTICATION_FAILED if self.refuses else 0
            return SaslAuthenticateResponse_v0(code, "invalid credentials", b"").encode()
        self.metadata_requests.append(asked)
        return MetadataResponse_v1([(0, "127.0.0.1", self.port, None)], 0, []).encode()


@asynccontextmanager
async def tiny_broker(folder: Path | None = None) -> AsyncIterator[TinyBroker]:
    """One that listens; over TLS, with the certificates of `authority_in`, if it is given a folder."""
    broker = TinyBroker()
    await broker.start(server_context(folder) if folder is not None else None)
    try:
        yield broker
    finally:
        broker.stop()


def server_context(folder: Path) -> ssl.SSLContext:
    """Of a new authority in the folder: `ca.pem` there is whom to trust."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Authority.create(folder).issue("broker", hosts=LOOPBACK))
    return context


def by_password(broker: TinyBroker, folder: Path | None = None) -> KafkaSettings:
    """How to log in there."""
    return KafkaSettings(
        bootstrap_servers=broker.address,
        security_protocol="SASL_SSL" if folder is not None else "SASL_PLAINTEXT",
        sasl_mechanism="PLAIN",
        sasl_username="users",
        sasl_password=SecretStr("secret"),
        ssl_cafile=str(folder / "ca.pem") if folder is not None else None,
    )
