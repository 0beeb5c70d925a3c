"""Reading the body of a request: of the right type, no larger than allowed, and in time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request

from ekiben_contracts.prediction import FailureCode
from ekiben_inference_gateway.http.problems import ProblemError, TransportCode

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """Bytes of one body, and the seconds in which it must have arrived."""

    most_bytes: int
    timeout_s: float


async def read_json(request: Request, limits: BodyLimits) -> bytes:
    """The bytes of a body that says it is JSON.

    Raises:
        ProblemError: another content type, too many bytes, or too slow.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != JSON:
        raise ProblemError(
            TransportCode.UNSUPPORTED_MEDIA_TYPE,
            f"expected content-type {JSON}, found {media_type or 'none'!r}",
        )
    return await read(request, limits)


async def read(request: Request, limits: BodyLimits) -> bytes:
    """The bytes of a body, whatever they are. No more than the limit is ever held.

    Raises:
        ProblemError: too many bytes, too slow, or the caller is gone.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limits.most_bytes:
        raise _too_large(limits.most_bytes, f"content-length {announced}")
    body = bytearray()
    try:
        async with asyncio.timeout(limits.timeout_s):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limits.most_bytes:
                    raise _too_large(limits.most_bytes, "more")
    except TimeoutError:
        raise ProblemError(
            TransportCode.BODY_TIMEOUT,
            f"expected the whole body within {limits.timeout_s:g} s, found {len(body)} bytes of it",
            headers={"Connection": "close"},
        ) from None
    except ClientDisconnect:
        raise ProblemError(
            FailureCode.INVALID_REQUEST, "expected the whole body, found the connection closed"
        ) from None
    return bytes(body)


def _too_large(most: int, found: str) -> ProblemError:
    return ProblemError(
        TransportCode.TOO_LARGE,
        f"expected a body of at most {most} bytes, found {found}; send fewer rows at a time",
        headers={"Connection": "close"},
    )
