"""What a Bento of every template promises to whoever asks it in JSON, and to Prometheus."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from ekiben_contracts.training import ModelTrained
from integration.served import Served

PREFIX = "ekiben_model_"
COUNTED = ("requests_total", "latency_seconds_count", "predictions_total", "batch_size_count", "errors_total")


@dataclass(frozen=True)
class Template:
    """A served model, rows that fit it, and what its predictions hold beside a value."""

    served: Served
    trained: ModelTrained
    rows: list[dict[str, Any]]
    holds: frozenset[str]


class TemplatePromises:
    """Subclass it, and give it a fixture `template`."""

    @pytest.fixture
    async def bento(self, template: Template) -> AsyncIterator[httpx.AsyncClient]:
        async with httpx.AsyncClient(base_url=template.served.url, timeout=60) as found:
            yield found

    async def test_a_row_is_predicted_alone_as_among_others(
        self, template: Template, bento: httpx.AsyncClient
    ) -> None:
        single = (await bento.post("/predict", json={"features": template.rows[0]})).json()
        several = (await bento.post("/predict_batch", json={"rows": [*template.rows, {}]})).json()
        assert {name: pytest.approx(value) for name, value in single.items()} == several[0]
        assert several[-1]["error"]["code"] == "missing_features"
        for one in several[:-1]:
            assert {name for name, value in one.items() if value is not None} >= {"value", *template.holds}
            assert {"label", "probabilities", "interval"} & one.keys() == template.holds

    async def test_attributions_add_up_to_the_prediction(
        self, template: Template, bento: httpx.AsyncClient
    ) -> None:
        asked = {"rows": template.rows[:2]}
        predicted = (await bento.post("/predict_batch", json=asked)).json()
        for one, prediction in zip((await bento.post("/explain", json=asked)).json(), predicted, strict=True):
            assert set(one["attributions"]) == {spec.name for spec in template.trained.signature}
            assert any(one["attributions"].values())
            assert one["expected"] + math.fsum(one["attributions"].values()) == pytest.approx(one["value"])
            assert one["value"] == pytest.approx(prediction["value"])

    async def test_it_says_what_it_is_and_that_it_is_well(
        self, template: Template, bento: httpx.AsyncClient
    ) -> None:
        trained = template.trained
        told, health = (await bento.get("/model_info")).json(), await bento.get("/health")
        assert (told["model"], told["version"]) == (trained.model, trained.version)
        assert told["problem_type"] == trained.problem_type.value
        assert [spec["name"] for spec in told["signature"]] == [spec.name for spec in trained.signature]
        assert tuple(told["classes"]) == tuple(trained.classes or ())
        assert (health.status_code, health.json()["model"]) == (200, trained.model)

    async def test_prometheus_sees_each_request_and_the_health_of_the_model(
        self, template: Template, bento: httpx.AsyncClient
    ) -> None:
        before = await self._metrics(template, bento)
        await bento.post("/predict", json={"features": template.rows[0]})
        await bento.post("/predict_batch", json={"rows": [*template.rows[:3], {}]})
        await bento.post("/explain", json={"rows": template.rows[:1]})
        after = await self._metrics(template, bento)
        risen = {name: after[name] - before.get(name, 0) for name in COUNTED}
        assert risen == dict(zip(COUNTED, (3, 3, 4, 3, 1), strict=True))
        assert after["healthy"] == 1
        assert after["load_seconds"] > 0

    @staticmethod
    async def _metrics(template: Template, bento: httpx.AsyncClient) -> Mapping[str, float]:
        """Those of this very model and version, over endpoints and codes."""
        found: dict[str, float] = {}
        for family in text_string_to_metric_families((await bento.get("/metrics")).text):
            for sample in family.samples:
                if sample.name.startswith(PREFIX):
                    assert sample.labels["model"] == template.trained.model
                    assert sample.labels["version"] == template.trained.version
                    name = sample.name.removeprefix(PREFIX)
                    found[name] = found.get(name, 0) + sample.value
        return found
