"""The naive consumer: FastStream as its tutorial shows it, one HTTP call for each event, safe acks.

It loses nothing and keeps order: an event is acknowledged once its answer is, by every replica.
"""

from __future__ import annotations

import argparse
import asyncio

import httpx
from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker
from pydantic import BaseModel

from ekiben_bus.settings import KafkaSettings


class Request(BaseModel):
    """What is needed of a request."""

    request_id: str
    model: str
    entity_id: str
    features: dict[str, float | str | bool | None]


class Result(BaseModel):
    """What answers it."""

    request_id: str
    model: str
    entity_id: str
    prediction: float


def application(options: argparse.Namespace, http: httpx.AsyncClient) -> FastStream:
    """One handler between two topics."""
    broker = KafkaBroker(KafkaSettings().bootstrap_servers.split(","), acks="all", enable_idempotence=True)

    @broker.subscriber(
        options.requests,
        group_id=f"{options.requests}.naive",
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
    )
    @broker.publisher(options.answers)
    async def handle(request: Request) -> Result:
        response = await http.post(f"{options.url}/predict", json={"features": request.features})
        prediction = response.raise_for_status().json()["value"]
        return Result(
            request_id=request.request_id,
            model=request.model,
            entity_id=request.entity_id,
            prediction=prediction,
        )

    return FastStream(broker)


async def run(options: argparse.Namespace) -> None:
    """Consume until SIGTERM."""
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        await application(options, http).run()


def main() -> None:
    """Read the options, and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    for text in ("requests", "answers", "url"):
        parser.add_argument(f"--{text}", required=True)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
