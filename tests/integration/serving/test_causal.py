"""A causal model of econml on real data: an effect with its interval, explained, from a real Bento.

The data: the job training of LaLonde (1986) as in causaldata's nsw_mixtape: earnings after a programme.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import numpy as np
import pandas as pd
import pytest
from causaldata import nsw_mixtape
from econml.dml import CausalForestDML, LinearDML
from sklearn.linear_model import LinearRegression, LogisticRegression

from ekiben_contracts.models import ProblemType
from ekiben_contracts.training import ModelTrained
from ekiben_mlops.errors import UnservableModelError
from ekiben_mlops.registry import Registry
from ekiben_mlops.settings import MlopsSettings
from ekiben_mlops.trained import trained_event
from ekiben_serving.http_client import HTTPModelClient
from ekiben_serving.model_client import Explanation, ModelOutput
from integration.served import Served, serving
from integration.serving.template_promises import Template, TemplatePromises

COLUMNS = ["age", "educ", "black", "marr", "nodegree", "re75"]
LEARNERS = {
    "model_y": LinearRegression(),
    "model_t": LogisticRegression(max_iter=1000),
    "discrete_treatment": True,
    "random_state": 0,
}


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    return nsw_mixtape.load_pandas().data


@pytest.fixture(scope="module")
def rows(people: pd.DataFrame) -> pd.DataFrame:
    return people[COLUMNS].astype(float)


@pytest.fixture(scope="module")
def effect(people: pd.DataFrame, rows: pd.DataFrame) -> LinearDML:
    """What the programme adds to a person's earnings, in dollars a year."""
    return LinearDML(**LEARNERS).fit(people["re78"], people["treat"].astype(int), X=rows)


@pytest.fixture(scope="module")
def trained(effect: LinearDML, rows: pd.DataFrame, registry: Registry) -> ModelTrained:
    with registry.run("training-programme", "effect"):
        version = registry.log_model(effect, "programme-effect", rows)
    return trained_event(registry, "programme-effect", version)


@pytest.fixture(scope="module")
def programme(trained: ModelTrained, mlops_settings: MlopsSettings) -> Iterator[Served]:
    with serving(trained, mlops_settings) as found:
        yield found


class TestTheCausalTemplate(TemplatePromises):
    @pytest.fixture
    def template(self, programme: Served, trained: ModelTrained, rows: pd.DataFrame) -> Template:
        return Template(programme, trained, rows.head(4).to_dict("records"), frozenset({"interval"}))


async def test_an_effect_is_answered_with_its_interval_as_the_model_itself_does(
    programme: Served, trained: ModelTrained, effect: LinearDML, rows: pd.DataFrame
) -> None:
    asked = rows.head(5)
    low, high = effect.effect_interval(asked, alpha=0.1)

    async with httpx.AsyncClient(base_url=programme.url, timeout=30) as http:
        answer = await http.post("/predict_batch", json={"rows": asked.to_dict("records")})
        single = await http.post("/predict", json={"features": asked.to_dict("records")[0]})

    assert trained.problem_type is ProblemType.CAUSAL
    assert [one["value"] for one in answer.json()] == pytest.approx(effect.effect(asked).tolist())
    assert [one["interval"]["low"] for one in answer.json()] == pytest.approx(low.tolist())
    assert [one["interval"]["high"] for one in answer.json()] == pytest.approx(high.tolist())
    assert np.ptp(effect.effect(asked)) > 1
    assert single.json()["value"] == pytest.approx(answer.json()[0]["value"])
    assert single.json()["interval"] == pytest.approx(answer.json()[0]["interval"])


async def test_the_gateways_client_has_the_effect_and_what_moved_it(
    programme: Served, trained: ModelTrained, effect: LinearDML, rows: pd.DataFrame
) -> None:
    client = HTTPModelClient("programme-effect", programme.url, timeout=30, signature=trained.signature)
    asked = rows.head(4).to_dict("records")

    outputs = await client.predict_batch(asked)
    explanations = await client.explain_batch(asked, budget_s=30)
    await client.close()

    expected = effect.effect(rows.head(4)).tolist()
    assert [one.value for one in outputs if isinstance(one, ModelOutput)] == pytest.approx(expected)
    for one, value in zip(explanations, expected, strict=True):
        assert isinstance(one, Explanation)
        assert one.expected + sum(one.attributions.values()) == pytest.approx(value)
        assert set(one.attributions) == set(COLUMNS)


def test_a_causal_forest_is_refused_when_it_is_logged_and_told_why(
    people: pd.DataFrame, rows: pd.DataFrame, registry: Registry
) -> None:
    forest = CausalForestDML(**LEARNERS, n_estimators=8)
    forest.fit(people["re78"], people["treat"].astype(int), X=rows)

    with (
        registry.run("training-programme", "forest"),
        pytest.raises(UnservableModelError, match="expected a model that skops writes and reads"),
    ):
        registry.log_model(forest, "programme-forest", rows)
