"""How a Bento is started, and when it is ready."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ekiben_mlops.serve import serve_command, wait_ready
from ekiben_mlops.settings import MlopsSettings

SETTINGS = MlopsSettings(home=Path("/state"), bentoml_home_override=Path("/bentos"))


def test_the_command_serves_the_bento_of_the_store_on_its_port() -> None:
    command = serve_command("delay:3-abc", 4711, SETTINGS, environ={"PATH": "/bin"})

    assert command.argv[1:] == (
        *("-m", "bentoml", "serve", "/bentos/bentos/delay/3-abc", "--host", "127.0.0.1", "--port", "4711"),
    )
    assert command.url == "http://127.0.0.1:4711"


def test_the_child_keeps_the_environment_phones_nobody_and_uses_one_thread() -> None:
    env = serve_command("delay:3-abc", 4711, SETTINGS, environ={"PATH": "/bin", "OMP_NUM_THREADS": "8"}).env

    assert env["PATH"] == "/bin"
    assert env["BENTOML_DO_NOT_TRACK"] == "True"
    assert env["OMP_NUM_THREADS"] == "1"


def test_two_children_never_share_the_directory_that_each_empties() -> None:
    homes = {serve_command("delay:3-abc", port, SETTINGS, environ={}).env["BENTOML_HOME"] for port in (1, 2)}

    assert len(homes) == 2


@asynccontextmanager
async def _answering(*statuses: int) -> AsyncIterator[str]:
    """An endpoint that answers these statuses, the last again and again."""
    left = list(statuses)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        status = left.pop(0) if len(left) > 1 else left[0]
        writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: 4\r\nconnection: close\r\n\r\nwait".encode())
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_it_waits_until_the_endpoint_is_ready() -> None:
    async with _answering(503, 503, 200) as url:
        await wait_ready(url, timeout_s=30)


async def test_an_endpoint_that_does_not_get_ready_is_told_with_what_it_answered() -> None:
    async with _answering(503) as url:
        with pytest.raises(TimeoutError, match=r"ready within 0\.5 s, found 503: wait"):
            await wait_ready(url, timeout_s=0.5)


async def test_an_endpoint_that_is_not_there_is_told() -> None:
    async with _answering(200) as url:
        pass
    with pytest.raises(TimeoutError, match="found ConnectError"):
        await wait_ready(url, timeout_s=0.3)
