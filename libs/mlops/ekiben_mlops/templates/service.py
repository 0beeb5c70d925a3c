"""The BentoML service around one model.

POST /columns takes and gives columnar bodies (see ekiben_serving.columnar) and is what the gateway
uses: mounted as ASGI, it skips BentoML's own validation; /explain_columns says what moved the answers.
/predict, /predict_batch and /explain take JSON. What
is heavy is imported by the worker alone: the supervisor of `bentoml serve` imports this module too.
"""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import bentoml
from bentoml.exceptions import InvalidArgument, NotFound, ServiceUnavailable
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ekiben_mlops.templates.explain_routes import ExplainDesk, NotReadyError, described, explained
from ekiben_mlops.templates.leash import end_with_parent
from ekiben_serving.specs import FeatureValue

DIRECTORY: Final = Path(__file__).parents[2]
DESCRIPTION: Final[dict[str, Any]] = json.loads((DIRECTORY / "model.json").read_text())
ANSWER_TYPE: Final = "application/vnd.ekiben.answer.v1"
MOST_BYTES: Final = 64 * 1024 * 1024
MOST_ROWS: Final = 10_000


async def read(request: Request) -> bytes | Response:
    """The body, or the refusal of one that is too large."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            return PlainTextResponse(
                f"expected at most {MOST_BYTES} bytes, found more. Send fewer rows.", 413
            )
    return bytes(body)


async def columns(request: Request) -> Response:
    """Answer a columnar body; in a thread, so that health is answered meanwhile."""
    body = await read(request)
    if isinstance(body, Response):
        return body
    loop = asyncio.get_running_loop()
    try:
        answer = await loop.run_in_executor(app.state.thread, app.state.model.answer_columns, body)
    except ValueError as error:
        return PlainTextResponse(str(error), 400)
    return Response(answer, media_type=ANSWER_TYPE)


async def explain_columns(request: Request) -> Response:
    """Say what moved the answers to a columnar body."""
    return await explained(request, read)


async def model_info(_: Request) -> Response:
    """Which model this is: name, version, signature, classes."""
    return JSONResponse(DESCRIPTION)


async def health(_: Request) -> Response:
    """Healthy once it listens: a model that fails its input example does not get that far."""
    return JSONResponse({"status": "ok", "model": DESCRIPTION["model"], "version": DESCRIPTION["version"]})


app = Starlette(
    routes=[
        Route("/columns", columns, methods=["POST"]),
        Route("/explain_columns", explain_columns, methods=["POST"]),
        Route("/explainer", described),
        Route("/model_info", model_info),
        Route("/health", health),
    ]
)


@bentoml.service(
    name=DESCRIPTION["model"],
    workers=1,
    traffic={"timeout": 60, "max_concurrency": 64},
    logging={"access": {"enabled": False}},
)
@bentoml.asgi_app(app)
class ModelService:
    """One model in one worker; more capacity is more replicas."""

    def __init__(self) -> None:
        from ekiben_mlops.templates.served import ServedModel  # noqa: PLC0415 - heavy; see above

        end_with_parent()
        self._model = app.state.model = ServedModel(DIRECTORY)
        app.state.thread = ThreadPoolExecutor(1, "predict")
        self._desk = app.state.desk = ExplainDesk(self._model)

    @bentoml.api
    def predict(self, features: dict[str, FeatureValue]) -> dict[str, Any]:
        """One row, or 400 with what is wrong with it."""
        (prediction,) = self._model.answer_rows("predict", [features])
        if "error" in prediction:
            raise InvalidArgument(f"{prediction['error']['code']}: {prediction['error']['message']}")
        return prediction

    @bentoml.api
    def predict_batch(self, rows: list[dict[str, FeatureValue]]) -> list[dict[str, Any]]:
        """Many rows: each has a prediction, or an error of its own."""
        if len(rows) > MOST_ROWS:
            raise InvalidArgument(
                f"expected at most {MOST_ROWS} rows, found {len(rows)}. Send them in parts."
            )
        return self._model.answer_rows("predict_batch", rows)

    @bentoml.api
    def explain(self, rows: list[dict[str, FeatureValue]]) -> list[dict[str, Any]]:
        """What moved the answer to each row: attributions that add up to it, or an error of its own."""
        try:
            return self._desk.rows(rows)
        except NotReadyError as error:
            raise ServiceUnavailable(str(error)) from error
        except LookupError as error:
            raise NotFound(str(error)) from error
        except ValueError as error:
            raise InvalidArgument(str(error)) from error
