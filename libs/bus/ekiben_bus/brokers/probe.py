"""Ask a port for its brokers, in Kafka's own words: the only readiness that counts.

One Metadata request (version 5, KIP-4) over a plain socket. A KRaft broker appears in the answer once
it is unfenced, which is when clients can work with it; an open port or a log line come earlier.
"""

from __future__ import annotations

import socket
import struct
from ssl import SSLContext

_METADATA = 3
_VERSION = 5
_BODY = struct.pack(">hhih", _METADATA, _VERSION, 1, -1) + struct.pack(">i?", 0, False)
"""Header (api, version, correlation id, no client id), then: no topics, create none."""
_COUNT_AT = 8
"""After correlation id and throttle time comes the number of brokers."""


def alive_brokers(host: str, port: int, timeout_s: float = 1.0, tls: SSLContext | None = None) -> int:
    """How many brokers of the cluster behind a port take requests; 0 where nobody answers.

    A port that wants a login is asked with the `tls` of a client's certificate: every port that takes
    one answers this request to whoever it trusts, without an ACL.
    """
    try:
        with _connected(host, port, timeout_s, tls) as connection:
            connection.sendall(struct.pack(">i", len(_BODY)) + _BODY)
            (size,) = struct.unpack(">i", _read(connection, 4))
            answer = _read(connection, min(size, 1 << 20))
            (count,) = struct.unpack_from(">i", answer, _COUNT_AT)
            return count
    except (OSError, struct.error):
        return 0


def _connected(host: str, port: int, timeout_s: float, tls: SSLContext | None) -> socket.socket:
    connection = socket.create_connection((host, port), timeout_s)
    if tls is None:
        return connection
    try:
        return tls.wrap_socket(connection, server_hostname=host)
    except BaseException:
        connection.close()
        raise


def _read(connection: socket.socket, size: int) -> bytes:
    received = bytearray()
    while len(received) < size:
        chunk = connection.recv(size - len(received))
        if not chunk:
            raise ConnectionResetError("closed in the middle of an answer")
        received += chunk
    return bytes(received)
