"""Bodies that come compressed: inflated no further than a body may be large."""

from __future__ import annotations

import zlib
from typing import Final

from ekiben_inference_gateway.http.problems import ProblemError, TransportCode
from ekiben_inference_gateway.http.v2.refused import RefusedError, shortly

_WINDOWS: Final = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


def inflate(body: bytes, encoding: str, most_bytes: int) -> bytes:
    """The body behind a Content-Encoding.

    Raises:
        RefusedError: it is not what its encoding says, or cut off.
        ProblemError: an unknown encoding, or it would be too large.
    """
    if encoding in ("", "identity"):
        return body
    if encoding not in _WINDOWS:
        raise ProblemError(
            TransportCode.UNSUPPORTED_MEDIA_TYPE,
            f"expected a Content-Encoding of {', '.join(_WINDOWS)} or none, found {shortly(encoding)}",
        )
    inflating = zlib.decompressobj(_WINDOWS[encoding])
    try:
        inflated = inflating.decompress(body, most_bytes + 1)
    except zlib.error as error:
        raise RefusedError(f"expected a body in {encoding}, found none: {error}") from None
    if len(inflated) > most_bytes:
        raise ProblemError(
            TransportCode.TOO_LARGE,
            f"expected a body of at most {most_bytes} bytes once inflated, found more; send fewer rows",
        )
    if not inflating.eof or inflating.unused_data:
        found = "data behind it" if inflating.eof else "its beginning. Was the body cut off?"
        raise RefusedError(f"expected one whole body in {encoding}, found {found}")
    return inflated
