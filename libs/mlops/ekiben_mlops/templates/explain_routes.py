"""POST /explain_columns and GET /explainer: what moved the model's answers.

The explainer is prepared beside the service, which answers predictions meanwhile. Explanations have a
thread of their own, so that a prediction waits for none of them.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

if TYPE_CHECKING:
    from ekiben_mlops.templates.served import ServedModel

EXPLANATION_TYPE: Final = "application/vnd.ekiben.explanation.v1"
BUDGET_HEADER: Final = "x-ekiben-budget-ms"
LONGEST_S: Final = 30.0
_OURS: Final = 0.8
"""Of the caller's time: the rest is for the way, and for the row that was begun last."""
_NOT_YET: Final = "expected the explainer to be ready, found it being prepared. Ask again in some seconds."


class NotReadyError(Exception):
    """The explainer is being prepared still."""


class ExplainDesk:
    """Where explanations are asked for, once the model has been loaded."""

    def __init__(self, model: ServedModel) -> None:
        self._thread = ThreadPoolExecutor(1, "explain")
        self._model = model
        self._ready: Future[dict[str, Any]] = self._thread.submit(model.prepare_explainer)

    async def columns(self, body: bytes, seconds: float) -> bytes:
        """What moved the answers to a body, within seconds.

        Raises:
            LookupError: nothing is explained here; the message says why.
            NotReadyError, ValueError: not yet; or the body is wrong.
        """
        until = time.monotonic() + seconds
        await self.described(seconds)
        work = self._thread.submit(self._model.explain_columns, body, until)
        return await asyncio.wrap_future(work)

    async def described(self, seconds: float) -> dict[str, Any]:
        """Which explainer it is, and what moves the model at large."""
        await asyncio.wait({asyncio.wrap_future(self._ready)}, timeout=seconds)
        if not self._ready.done():
            raise NotReadyError(_NOT_YET)
        return self._ready.result()

    def rows(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The same of rows of JSON, from another thread."""
        until = time.monotonic() + LONGEST_S
        try:
            self._ready.result(LONGEST_S)
        except FutureTimeoutError:
            raise NotReadyError(_NOT_YET) from None
        return self._thread.submit(self._model.explain_rows, rows, until).result()


async def explained(request: Request, read: Callable[[Request], Any]) -> Response:
    """Answer a columnar body."""
    seconds = budget_s(request.headers.get(BUDGET_HEADER)) * _OURS
    body = await read(request)
    if isinstance(body, Response):
        return body
    desk: ExplainDesk = request.app.state.desk
    try:
        return Response(await desk.columns(body, seconds), media_type=EXPLANATION_TYPE)
    except NotReadyError as error:
        return PlainTextResponse(str(error), 500)
    except LookupError as error:
        return PlainTextResponse(str(error), 404)
    except ValueError as error:
        return PlainTextResponse(str(error), 400)


async def described(request: Request) -> Response:
    """Which explainer it is: tree, linear or kernel, and the share of each column in what moves the model."""
    desk: ExplainDesk = request.app.state.desk
    try:
        return JSONResponse(await desk.described(LONGEST_S))
    except NotReadyError as error:
        return PlainTextResponse(str(error), 500)
    except LookupError as error:
        return PlainTextResponse(str(error), 404)


def budget_s(header: str | None) -> float:
    """The seconds of the header, in milliseconds there; what nobody can read is the longest."""
    try:
        found = float(header) / 1000 if header is not None else LONGEST_S
    except ValueError:
        return LONGEST_S
    return min(found, LONGEST_S) if math.isfinite(found) and found > 0 else LONGEST_S
