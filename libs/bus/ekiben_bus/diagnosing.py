"""Why nobody gets in: one connection to each server, made after a client has failed.

aiokafka tries its servers one after another, logs what each said, and raises only that none let it in.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from aiokafka.conn import AIOKafkaConnection, collect_hosts, create_conn
from aiokafka.errors import KafkaConnectionError, KafkaError
from aiokafka.protocol.metadata import MetadataRequest

from ekiben_bus.classifying import Spoken, classify, is_clear
from ekiben_bus.connection import client_options
from ekiben_bus.errors import RefusedError, TokenError
from ekiben_bus.refusals import Case, Refusal
from ekiben_bus.settings import KafkaSettings

_WITHIN_S = 5.0
_SPOKEN_WITHIN_S = 2.0
_ADDRESS_ALONE = (Case.NOBODY_LISTENS, Case.UNKNOWN_HOST)


@asynccontextmanager
async def refusals_told(settings: KafkaSettings) -> AsyncGenerator[None]:
    """Whatever connects here raises why it was not let in, if that can be found out.

    Raises:
        RefusedError: in place of aiokafka's KafkaConnectionError.
    """
    try:
        yield
    except RefusedError:
        raise
    except KafkaConnectionError as error:
        refusal = await diagnose(settings)
        if refusal is None:
            raise
        raise RefusedError(refusal) from error


async def diagnose(settings: KafkaSettings) -> Refusal | None:
    """Why none of the servers, or none of the brokers that they name, lets us in; None where all do.

    Raises:
        ConnectionSettingsError: the settings are wrong by themselves.
    """
    options = client_options(settings)
    servers = [(host, port) for host, port, _ in collect_hosts(",".join(options["bootstrap_servers"]))]
    tried = await asyncio.gather(*(_knock(settings, *server) for server in servers))
    refusals = [each for each in tried if isinstance(each, Refusal)]
    if len(refusals) == len(tried):
        return _most_telling(refusals)
    named = {broker for each in tried if not isinstance(each, Refusal) for broker in each} - set(servers)
    further = await asyncio.gather(*(_knock(settings, *broker) for broker in sorted(named)))
    return _most_telling([each for each in further if isinstance(each, Refusal)])


def _most_telling(refusals: Sequence[Refusal]) -> Refusal | None:
    """One that says why we are not let in, before those of servers that are merely away."""
    return min(refusals, key=lambda each: each.case in _ADDRESS_ALONE, default=None)


async def _knock(settings: KafkaSettings, host: str, port: int) -> Refusal | list[tuple[str, int]]:
    """The brokers that this one names, or why it does not."""
    address = f"{host}:{port}"
    try:
        return await _ask(settings, host, port)
    except TokenError as error:
        return error.refusal
    except (OSError, KafkaError, TimeoutError) as error:
        spoken = Spoken.NEITHER if is_clear(error) else await _spoken(host, port)
        return classify(error, address, settings, spoken)


async def _ask(settings: KafkaSettings, host: str, port: int) -> list[tuple[str, int]]:
    options = client_options(settings)
    connection: AIOKafkaConnection = await create_conn(
        host,
        port,
        request_timeout_ms=int(_WITHIN_S * 1000),
        security_protocol=options["security_protocol"],
        ssl_context=options.get("ssl_context"),
        sasl_mechanism=options.get("sasl_mechanism"),
        sasl_plain_username=options.get("sasl_plain_username"),
        sasl_plain_password=options.get("sasl_plain_password"),
        sasl_oauth_token_provider=options.get("sasl_oauth_token_provider"),
    )
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
    except (OSError, KafkaError, TimeoutError):
        return False
    return True
