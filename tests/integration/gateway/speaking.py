"""One whole gateway that answers over HTTP before real Bentos, and real clients of the inference protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import numpy as np
import pandas as pd
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import np_to_triton_dtype

from ekiben_contracts.event import Event
from ekiben_inference_gateway.app import build
from ekiben_inference_gateway.http.settings import HttpSettings
from ekiben_inference_gateway.settings import GatewaySettings
from integration.served import free_port
from unit.in_memory import DEADLINE_S, QUICK, Kafka, running


@dataclass
class Speaking:
    """A gateway and where it answers."""

    kafka: Kafka = field(default_factory=Kafka)
    port: int = field(default_factory=free_port)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    @asynccontextmanager
    async def over(self, *routes: Event, **http: object) -> AsyncIterator[None]:
        """The gateway runs, its models are routed."""
        self.kafka.route(*routes)
        settings = HttpSettings(**{"port": self.port, **http})
        service = build(GatewaySettings(call_budget_s=20.0), QUICK, self.kafka.cluster, http=settings)
        async with running(service), httpx.AsyncClient(base_url=self.url) as client:
            async with asyncio.timeout(DEADLINE_S):
                while not await _is_ready(client):
                    await asyncio.sleep(0.01)
            yield

    def client(self) -> InferenceServerClient:
        """The reference client, unchanged. It blocks: ask in a thread."""
        return InferenceServerClient(self.address)


async def _is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/v2/health/ready")).is_success
    except httpx.TransportError:
        return False


def inputs_of(columns: dict[str, np.ndarray], *, binary: bool) -> list[InferInput]:
    """One tensor for each column."""
    return [
        InferInput(name, list(values.shape), np_to_triton_dtype(values.dtype)).set_data_from_numpy(
            values, binary_data=binary
        )
        for name, values in columns.items()
    ]


def columns_of(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """Texts as objects, numbers as they are."""
    return {
        str(name): rows[name].to_numpy(object if rows[name].dtype.kind not in "biuf" else rows[name].dtype)
        for name in rows
    }


def wanted(*names: str, binary: bool) -> list[InferRequestedOutput]:
    """These outputs, in this form."""
    return [InferRequestedOutput(name, binary_data=binary) for name in names]
