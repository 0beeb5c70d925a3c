"""Who is asked: the Bento itself, in JSON and in columns, and gateways in front of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Final

import httpx
from pydantic import BaseModel

from benchmarks.asking import Asking
from benchmarks.ground import Ground
from benchmarks.measuring import topics_of
from benchmarks.processes import Process
from benchmarks.serving import Served
from benchmarks.sides.ekiben import gateway_alone, route_to
from ekiben_bus.brokers.ports import free_port
from ekiben_serving.columnar import COLUMNS_TYPE, decode_answer, encode_rows

JSON: Final = "application/json"
BENTO: Final = "BentoML, /predict, JSON"
COLUMNS: Final = "BentoML, /columns"
SINGLE: Final = "gateway, one row a call"
BATCHED: Final = "gateway, micro-batches"
UNPUBLISHED: Final = ", not published"
ONE_ROW_A_CALL: Final[Mapping[str, str]] = {
    "EKIBEN_HTTP_ROWS_PER_BATCH": "1",
    "EKIBEN_HTTP_BATCHES_AT_A_TIME": "16",
}
_MOST_BODIES: Final = 4096
_CHECKED: Final = 32


class _OfBento(BaseModel):
    value: float


class _OfGateway(BaseModel):
    prediction: float


@dataclass(frozen=True, slots=True)
class Target:
    """One endpoint: what it is sent, and how its answer is read.

    `process` is the gateway, if one is asked; its answers are published to the topic `published`.
    """

    name: str
    url: str
    content_type: str
    bodies: Sequence[bytes]
    read: Callable[[bytes], float]
    process: Process | None = None
    published: str | None = None


class WrongAnswerError(RuntimeError):
    """A side answers, and not with what the model says: its rate would be the rate of something else."""


def bento_in_json(served: Served, asking: Asking) -> Target:
    """As anybody would call it: its ordinary API, one row as JSON."""
    bodies = [b'{"features":%s}' % row for row in _rows(asking)]
    return Target(BENTO, f"{served.url}/predict", JSON, bodies, _value)


def bento_in_columns(served: Served, asking: Asking) -> Target:
    """As the gateway calls it: the raw columns of one row."""
    bodies = [encode_rows([row], served.signature) for row in asking.rows[:_MOST_BODIES]]
    return Target(
        COLUMNS,
        f"{served.url}/columns",
        COLUMNS_TYPE,
        bodies,
        lambda body: float(decode_answer(body, 1).values[0]),
    )


@contextmanager
def gateway(
    name: str, served: Served, ground: Ground, settings: Mapping[str, str], *, publishes: bool = True
) -> Iterator[Target]:
    """The real process, on Kafka, with topics of its own; it publishes its answers unless told not to."""
    port = free_port()
    environment = {**settings, "EKIBEN_HTTP_PORT": str(port)}
    if not publishes:
        environment["EKIBEN_HTTP_PUBLISH_ANSWERS"] = "false"
    side = gateway_alone([route_to(served)], **environment)
    bodies = [
        b'{"model":"%s","entity_id":"%s","features":%s}' % (served.model.encode(), entity.encode(), row)
        for entity, row in zip(ground.asking.entities, _rows(ground.asking), strict=False)
    ]
    with topics_of(side, ground) as (prefix, names), side.running(ground, prefix) as (process,):
        url, topic = f"http://127.0.0.1:{port}/v1/predictions", names.answers if publishes else None
        yield Target(name, url, JSON, bodies, _prediction, process, topic)


def check(target: Target, asking: Asking) -> int:
    """Ask about some rows and look at the answers. Returns how many.

    Raises:
        WrongAnswerError: one is refused, or wrong.
    """
    with httpx.Client(trust_env=False, timeout=10) as http:
        for number, body in enumerate(islice(target.bodies, _CHECKED)):
            answer = http.post(target.url, content=body, headers={"content-type": target.content_type})
            right = answer.is_success and asking.is_right(f"r{number}", target.read(answer.content))
            if not right:
                raise WrongAnswerError(
                    f"expected {target.name} to answer row {number} as the model does, found "
                    f"{answer.status_code}: {answer.content[:200]!r}"
                )
    return min(len(target.bodies), _CHECKED)


def _rows(asking: Asking) -> Iterator[bytes]:
    return (row.encode() for row in islice(asking.features, _MOST_BODIES))


def _value(body: bytes) -> float:
    return _OfBento.model_validate_json(body).value


def _prediction(body: bytes) -> float:
    return _OfGateway.model_validate_json(body).prediction
