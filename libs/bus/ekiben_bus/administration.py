"""An administrative client of a cluster, opened and closed."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError

from ekiben_bus.connection import client_options
from ekiben_bus.diagnosing import refusals_told
from ekiben_bus.errors import RefusedError
from ekiben_bus.settings import KafkaSettings


class TopicsError(Exception):
    """The cluster is not what the contracts want. The message names every topic."""


class UnreachableError(TopicsError):
    """No broker answered: is it running, and are address and login right?"""


@asynccontextmanager
async def administration(settings: KafkaSettings) -> AsyncGenerator[AIOKafkaAdminClient]:
    """A client that is open in the block.

    Raises:
        UnreachableError: no broker answered.
    """
    options = client_options(settings)
    admin = AIOKafkaAdminClient(**options)
    try:
        async with refusals_told(settings, options):
            await admin.start()
            yield admin
    except RefusedError as error:
        raise UnreachableError(str(error)) from error
    except KafkaConnectionError as error:
        raise UnreachableError(
            f"expected a Kafka broker at {settings.bootstrap_servers}, found none: {error}. Try `ekiben up`, "
            "or set KAFKA_BOOTSTRAP_SERVERS and the login that it needs"
        ) from error
    finally:
        await admin.close()
