"""One HTTP request to a model and its answer: bounded in time and bytes, its failures named."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import httpx

from ekiben_serving.clock import Clock
from ekiben_serving.errors import (
    BadRequestError,
    BadResponseError,
    ModelClientError,
    ModelTimeoutError,
    ModelTransientError,
    ModelUnavailableError,
)
from ekiben_serving.retrying import retry_after

OVERLOADED = frozenset({429, 502, 503, 504})
"""Statuses of an endpoint that has not answered and may soon."""
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_MOST_QUOTED = 300
_PLAIN = {"accept-encoding": "identity"}
_url = lru_cache(maxsize=1024)(httpx.URL)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model answers, for requests and for error messages."""

    model: str
    url: str
    most_bytes: int
    clock: Clock
    http: httpx.AsyncBaseTransport
    refused_hint: str

    async def exchange(
        self,
        method: str,
        path: str,
        *,
        timeout_s: float,
        expected_type: str,
        content: bytes | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
        is_quotable: bool = True,
    ) -> bytes:
        """The body of a 200 of the expected content type.

        An error quotes the body of a refusal only where that `is_quotable`, and never that of an endpoint
        that is away, for everybody who waits for it is told why.

        Raises:
            ModelClientError: see its tree.
        """
        request = self._request(method, path, content, headers)
        try:
            async with asyncio.timeout(timeout_s):
                response = await self.http.handle_async_request(request)
                try:
                    body = await self._read(path, response)
                finally:
                    await response.aclose()
        except (TimeoutError, httpx.TimeoutException):
            raise ModelTimeoutError(
                self.model,
                self.url,
                f"expected an answer to {path} within {timeout_s:.3g} s, found none. "
                "Raise the timeout, send fewer rows, or look at the load of the endpoint.",
            ) from None
        except httpx.DecodingError as error:
            raise ModelTransientError(
                self.model, self.url, f"expected an answer to {path} in HTTP, found {str(error)!r}"
            ) from error
        except httpx.TransportError as error:
            raise ModelUnavailableError(
                self.model, self.url, f"expected an answer to {path}, found the connection failed: {error}"
            ) from error
        self._check(path, response, body if is_quotable else b"", expected_type)
        return body

    def _request(
        self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]
    ) -> httpx.Request:
        # No httpx.AsyncClient: it would parse the URL again and look for cookies, redirects and auth, which
        # is a tenth of a call's CPU time.
        try:
            return httpx.Request(
                method, _url(self.url + path), content=content, headers={**_PLAIN, **headers}
            )
        except (httpx.InvalidURL, UnicodeError) as error:
            raise ModelUnavailableError(
                self.model,
                self.url,
                f"expected a URL, found none: {error}. Route the model to where it answers.",
            ) from error

    async def _read(self, path: str, response: httpx.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        try:
            async for part in response.aiter_raw():
                size += len(part)
                if size > self.most_bytes:
                    raise self._bad_response(f"a body of at most {self.most_bytes} bytes", "a larger one")
                parts.append(part)
        except (httpx.NetworkError, httpx.ProtocolError) as error:
            raise ModelTransientError(
                self.model,
                self.url,
                f"expected the whole answer to {path}, found it cut off after {size} bytes: {error}",
            ) from error
        return b"".join(parts)

    def _check(self, path: str, response: httpx.Response, body: bytes, expected_type: str) -> None:
        status = response.status_code
        if status != httpx.codes.OK:
            raise self._refusal(path, response, body)
        found = response.headers.get("content-type", "no content type")
        if found.partition(";")[0].strip() != expected_type:
            raise self._bad_response(f"an answer to {path} as {expected_type}", found)

    def _refusal(self, path: str, response: httpx.Response, body: bytes) -> ModelClientError:
        status = response.status_code
        found = f"expected an answer to {path}, found {status}"
        if status in OVERLOADED:
            wait = retry_after(response.headers.get("retry-after"), self.clock.wall())
            return ModelUnavailableError(self.model, self.url, found, retry_after_s=wait)
        if body:
            found += f": {body[:_MOST_QUOTED].decode(errors='replace')}"
        if response.is_client_error:
            return BadRequestError(self.model, self.url, f"{found}. {self.refused_hint}", status=status)
        if response.is_server_error:
            return ModelTransientError(self.model, self.url, f"{found}. Its log says why.")
        return BadResponseError(self.model, self.url, f"{found}. Is its URL right?")

    def _bad_response(self, expected: str, found: str) -> BadResponseError:
        return BadResponseError(self.model, self.url, f"expected {expected}, found {found}")
