"""The bare skeleton's model server: BentoML with nothing but raw float32 in and raw float32 out.

`bentoml serve benchmarks.raw_service:RawModel`, with the pickled model in BENCHMARK_MODEL.
"""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import bentoml
import numpy as np
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def predict(request: Request) -> Response:
    """Rows of float32, one after the other; back comes one float32 a row."""
    columns = app.state.columns
    rows = np.frombuffer(await request.body(), np.float32).reshape(-1, columns)
    return Response(app.state.predict(rows)[:, 1].astype(np.float32).tobytes())


app = Starlette(routes=[Route("/raw", predict, methods=["POST"])])


@bentoml.service(
    name="raw-model",
    workers=1,
    traffic={"timeout": 60, "max_concurrency": 64},
    logging={"access": {"enabled": False}},
)
@bentoml.asgi_app(app)
class RawModel:
    """Predicts in the event loop: no thread hop, no validation, no metrics."""

    def __init__(self) -> None:
        fitted = pickle.loads(Path(os.environ["BENCHMARK_MODEL"]).read_bytes())  # noqa: S301 - written by us
        app.state.columns = len(fitted.feature_names_in_)
        del fitted.feature_names_in_  # else every array is warned about
        app.state.predict = fitted.predict_proba
