"""Asks a service on this machine whether it is ready."""

from __future__ import annotations

import asyncio
from http.client import HTTPConnection, HTTPException
from typing import Final

_PATIENCE_S: Final = 5.0
_LONGEST_DETAIL: Final = 200


async def unready(port: int) -> str | None:
    """Why the service whose health port this is cannot work yet; None when it can."""
    return await asyncio.to_thread(_ask, port)


def _ask(port: int) -> str | None:
    # http.client knows no proxies: loopback is asked itself
    connection = HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        detail = response.read(_LONGEST_DETAIL).decode(errors="replace").strip()
    except (OSError, HTTPException) as error:
        return f"its port {port} does not answer: {error}"
    finally:
        connection.close()
    return None if response.status == 200 else f"/readyz says {response.status}: {detail}"  # noqa: PLR2004
