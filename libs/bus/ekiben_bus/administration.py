"""An administrative client of a cluster, opened and closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError

from ekiben_bus.connection import client_options
from ekiben_bus.diagnosing import refusals_told
from ekiben_bus.errors import RefusedError
from ekiben_bus.settings import KafkaSettings

Seen = TypeVar("Seen")

_VISIBLE_WITHIN_S = 30.0
_POLL_S = 0.05


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


async def until_visible(
    look: Callable[[], Awaitable[Seen]],
    hidden_in: Callable[[Seen], str],
    what: str,
    error: type[TopicsError] = TopicsError,
) -> Seen:
    """Look until nothing is hidden any more: what was just created takes a moment to be seen.

    Raises:
        TopicsError, or the `error` that is named: its time is over.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + _VISIBLE_WITHIN_S
    while hidden := hidden_in(seen := await look()):
        if clock() > deadline:
            raise error(
                f"expected to see the new {what} within {_VISIBLE_WITHIN_S:g} s, still hidden: {hidden}; "
                "is a broker of the cluster away, or is somebody deleting them?"
            )
        await asyncio.sleep(_POLL_S)
    return seen
