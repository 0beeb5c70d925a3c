"""explain=true over the bus, on the demo's two models as Bentos: from a request to what moved its result."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pandas as pd
import pytest

from ekiben_contracts.models import Method
from ekiben_contracts.prediction import PredictionRequested
from ekiben_contracts.topics import MODEL_OUTPUTS, PREDICTION_REQUESTS, PREDICTION_RESULTS
from ekiben_contracts.training import ModelTrained
from ekiben_flights.data import load
from ekiben_flights.features import SIGNATURE
from ekiben_flights.plan import LINEAR, TREES
from ekiben_flights.train import register
from ekiben_flights.training import train
from ekiben_inference_gateway.app import build as build_gateway
from ekiben_inference_gateway.settings import GatewaySettings
from ekiben_mlops.registry import Registry
from ekiben_mlops.settings import MlopsSettings
from ekiben_mlops.trained import trained_event
from ekiben_serving.http_client import HTTPModelClient
from ekiben_serving.model_client import Explanation, ModelOutput
from ekiben_synthesizer.app import build as build_synthesizer
from ekiben_synthesizer.settings import SynthesizerSettings
from integration.gateway.asking import route
from integration.served import Served, serving
from unit.gateway.building import ensemble
from unit.in_memory import QUICK, Kafka, running

COLUMNS = {spec.name for spec in SIGNATURE}
PATIENT = GatewaySettings(call_budget_s=20.0, explain_budget_s=20.0)


@dataclass(frozen=True)
class Flights:
    """One of the demo's models, served."""

    trained: ModelTrained
    served: Served
    row: dict[str, object]


@pytest.fixture(scope="module")
def demo(registry: Registry, mlops_settings: MlopsSettings) -> Iterator[dict[str, Flights]]:
    with ExitStack() as until_the_end:
        found: dict[str, Flights] = {}
        for model in train(load()):
            event = trained_event(registry, model.name, register(registry, model))
            served = until_the_end.enter_context(serving(event, mlops_settings))
            row = model.rows.iloc[5].to_dict()
            known = {name: None if pd.isna(value) else value for name, value in row.items()}
            found[model.name] = Flights(event, served, known)
        yield found


@pytest.mark.parametrize(("name", "kind"), [(TREES, "tree"), (LINEAR, "linear")])
async def test_each_model_explains_the_probability_of_being_late_by_the_columns_of_its_signature(
    demo: dict[str, Flights], name: str, kind: str
) -> None:
    flights = demo[name]
    client = HTTPModelClient(name, flights.served.url, timeout=60)
    rows = [flights.row, {**flights.row, "dest": "nowhere at all", "plane_age": None}]

    outputs, explanations = await client.predict_batch(rows), await client.explain_batch(rows)  # type: ignore[arg-type]
    await client.close()

    for output, explanation in zip(outputs, explanations, strict=True):
        assert isinstance(output, ModelOutput)
        assert isinstance(explanation, Explanation)
        assert explanation.value == pytest.approx(output.value, rel=1e-12)
        moved = math.fsum(explanation.attributions.values())
        assert explanation.expected + moved == pytest.approx(output.value, abs=1e-9)
        assert set(explanation.attributions) == COLUMNS
        assert explanation.label == "late"
        assert 0 < explanation.expected < 1


async def test_a_result_is_explained_where_that_was_asked_for_and_an_ensemble_by_its_weights(
    demo: dict[str, Flights],
) -> None:
    kafka = Kafka()
    weights = {TREES: 3.0, LINEAR: 1.0}
    both = ensemble("both", list(weights), method=Method.WEIGHTED, weights=weights)
    kafka.route(*(route(each.trained, each.served.url) for each in demo.values()), both)
    row = demo[TREES].row
    async with running(
        build_gateway(PATIENT, QUICK, kafka.cluster),
        build_synthesizer(SynthesizerSettings(), QUICK, kafka.cluster),
    ):
        for request, explain in (("why", True), ("what", False)):
            asked = PredictionRequested(
                request_id=request, model="both", entity_id="UA1", features=row, explain=explain
            )
            kafka.send(PREDICTION_REQUESTS, asked, id=request)
        results = {each.request_id: each for each in await kafka.events(PREDICTION_RESULTS, 2)}  # type: ignore[attr-defined]
        scored = {each.request_id: each for each in await kafka.events(MODEL_OUTPUTS, 2)}  # type: ignore[attr-defined]

    why, what = results["why"], results["what"]
    assert (what.explanation, what.unexplained, scored["what"].explanations) == (None, None, None)
    assert why.unexplained is None
    assert why.prediction == what.prediction
    members = scored["why"].explanations
    assert set(members) == {TREES, LINEAR}
    for name in COLUMNS:
        expected = 0.75 * members[TREES][name] + 0.25 * members[LINEAR][name]
        assert why.explanation[name] == pytest.approx(expected, abs=1e-12)


async def test_a_model_that_does_not_explain_in_time_is_named_and_its_prediction_stands(
    demo: dict[str, Flights],
) -> None:
    kafka = Kafka()
    trees = demo[TREES]
    kafka.route(route(trees.trained, trees.served.url))
    hurried = GatewaySettings(call_budget_s=20.0, explain_budget_s=0.000_001)
    async with running(
        build_gateway(hurried, QUICK, kafka.cluster),
        build_synthesizer(SynthesizerSettings(), QUICK, kafka.cluster),
    ):
        asked = PredictionRequested(
            request_id="why", model=TREES, entity_id="UA1", features=trees.row, explain=True
        )
        kafka.send(PREDICTION_REQUESTS, asked)
        (result,) = await kafka.events(PREDICTION_RESULTS, 1)

    assert result.status == "completed"  # type: ignore[attr-defined]
    assert result.explanation is None  # type: ignore[attr-defined]
    assert TREES in result.unexplained[TREES]  # type: ignore[attr-defined]
