"""Reading a file or standard input in chunks, without a thread that Ctrl-C would have to wait for."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from ekiben.errors import InvalidInputError

_CHUNK = 1024 * 1024


async def chunks(source: str) -> AsyncIterator[bytes]:
    """The bytes of a file, or of standard input where it is `-`, as soon as they are there."""
    if source == "-":
        async for chunk in _stream(sys.stdin.buffer):
            yield chunk
        return
    try:
        with Path(source).open("rb") as file:  # noqa: ASYNC230 - a file: its reads do not wait for anybody
            async for chunk in _stream(file):
                yield chunk
    except OSError as error:
        raise InvalidInputError(
            expected=f"to read {source}",
            found=error.strerror or str(error),
            attempt="another path, or - for standard input",
        ) from error


async def _stream(file: BinaryIO) -> AsyncIterator[bytes]:
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        while chunk := file.read(_CHUNK):
            yield chunk
        return
    # a pipe or a terminal may keep us waiting: by the event loop, so that Ctrl-C ends it
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), file)
    try:
        while chunk := await reader.read(_CHUNK):
            yield chunk
    finally:
        transport.close()
