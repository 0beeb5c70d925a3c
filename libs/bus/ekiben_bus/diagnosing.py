"""Why nobody gets in: one connection to each server, made after a client has failed.

aiokafka tries its servers one after another, logs what each said, and raises only that none let it in.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import KafkaConnectionError, KafkaError
from aiokafka.protocol.metadata import MetadataRequest

from ekiben_bus.classifying import Spoken, classify, is_clear
from ekiben_bus.connection import ClientOptions, client_options
from ekiben_bus.dialing import dial
from ekiben_bus.errors import RefusedError, TokenError
from ekiben_bus.refusals import Refusal
from ekiben_bus.settings import KafkaSettings

_WITHIN_S = 5.0
_SPOKEN_WITHIN_S = 2.0


@asynccontextmanager
async def refusals_told(settings: KafkaSettings, options: ClientOptions) -> AsyncGenerator[None]:
    """Whatever connects here raises why it was not let in, if that can be found out.

    Raises:
        RefusedError: in place of aiokafka's KafkaConnectionError.
    """
    try:
        yield
    except RefusedError:
        raise
    except (KafkaConnectionError, UnicodeError) as error:
        refusal = await diagnose(settings, options)
        if refusal is None:
            raise
        raise RefusedError(refusal) from error


async def diagnose(settings: KafkaSettings, options: ClientOptions | None = None) -> Refusal | None:
    """Why none of the servers, or one of the brokers that they name, does not let us in; None where all do.

    One after another, up to the first that says why: every refused login counts where accounts are locked.
    The options are those of the client that was refused; others are made of the settings.

    Raises:
        ConnectionSettingsError: the settings are wrong by themselves.
    """
    options = client_options(settings) if options is None else options
    given = ",".join(options["bootstrap_servers"])
    servers = [(host, port) for host, port, _ in collect_hosts(given, randomize=False)]
    named, refusal = await _knock_at_all(settings, options, servers)
    if refusal is not None and not (refusal.is_away and named):
        return refusal
    _, refusal = await _knock_at_all(settings, options, sorted(named - set(servers)))
    return refusal


async def _knock_at_all(
    settings: KafkaSettings, options: ClientOptions, servers: Sequence[tuple[str, int]]
) -> tuple[set[tuple[str, int]], Refusal | None]:
    """The brokers that they name, and who refuses us; if nobody does, who is away."""
    named: set[tuple[str, int]] = set()
    away: Refusal | None = None
    for server in servers:
        met = await _knock(settings, options, *server)
        if not isinstance(met, Refusal):
            named.update(met)
        elif not met.is_away:
            return named, met
        else:
            away = away or met
    return named, away


async def _knock(
    settings: KafkaSettings, options: ClientOptions, host: str, port: int
) -> Refusal | list[tuple[str, int]]:
    """The brokers that this one names, or why it does not."""
    address = f"{host}:{port}"
    try:
        return await _ask(options, host, port)
    except TokenError as error:
        return error.refusal
    except (OSError, KafkaError, TimeoutError, UnicodeError) as error:
        spoken = Spoken.NEITHER if is_clear(error) else await _spoken(host, port)
        return classify(error, address, settings, spoken)


async def _ask(options: ClientOptions, host: str, port: int) -> list[tuple[str, int]]:
    login: dict[str, Any] = {name: value for name, value in options.items() if name != "bootstrap_servers"}
    connection = await dial(host, port, request_timeout_ms=int(_WITHIN_S * 1000), **login)
    try:
        answer = await connection.send(MetadataRequest([]))
        return [(broker_host, broker_port) for _, broker_host, broker_port, *_ in answer.brokers]
    finally:
        connection.close()


async def _spoken(host: str, port: int) -> Spoken:
    """TLS, or Kafka in plaintext: every broker tells its versions before it asks who is there."""
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname = False
    anybody.verify_mode = ssl.CERT_NONE  # nothing is said to it: whether it speaks TLS is all
    if await _answers(host, port, anybody):
        return Spoken.TLS
    return Spoken.PLAINTEXT if await _answers(host, port, None) else Spoken.NEITHER


async def _answers(host: str, port: int, context: ssl.SSLContext | None) -> bool:
    try:
        async with asyncio.timeout(_SPOKEN_WITHIN_S):
            if context is None:
                (await create_conn(host, port, request_timeout_ms=int(_SPOKEN_WITHIN_S * 1000))).close()
            else:
                _, writer = await asyncio.open_connection(host, port, ssl=context)
                writer.close()
    except (OSError, KafkaError, TimeoutError, UnicodeError):
        return False
    return True
