"""What moved an answer: attributions that add up to it, by the columns of the signature, for any model."""

from __future__ import annotations

from itertools import count

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, PowerTransformer, StandardScaler

from ekiben_mlops.templates import classification, regression
from ekiben_mlops.templates.explaining import explainer as explainer_module
from ekiben_mlops.templates.explaining import shapley
from ekiben_mlops.templates.explaining.explainer import Explained, Explainer, ExplainerError
from ekiben_mlops.templates.explaining.sources import sources_of

FOREVER = float("inf")
TEXTS = ["carrier", "origin"]
NUMBERS = ["distance", "wind"]


def rows(number: int, seed: int = 0) -> pd.DataFrame:
    """`idle` moves nothing; wind is sometimes unknown."""
    draw = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "carrier": draw.choice(["UA", "AA", "DL", "B6"], number, p=[0.4, 0.4, 0.1, 0.1]),
            "distance": draw.uniform(0, 3, number),
            "idle": draw.uniform(0, 1, number),
            "wind": np.where(draw.random(number) < 0.2, np.nan, draw.uniform(0, 2, number)),
            "origin": draw.choice(["JFK", "EWR"], number),
        }
    )


FIT, BACKGROUND, ASKED = rows(500), rows(40, seed=1), rows(7, seed=2)
MOVED = FIT["distance"] + (FIT["carrier"] == "UA") * 2.0 + FIT["wind"].fillna(1.0)
TWO = (MOVED.median() < MOVED).map({True: "late", False: "early"})
THREE = pd.cut(MOVED, 3, labels=["a", "b", "c"]).astype(str)


def trees(model: object) -> Pipeline:
    return make_pipeline(make_column_transformer((OrdinalEncoder(), TEXTS), remainder="passthrough"), model)


def scaled(model: object) -> Pipeline:
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), PowerTransformer())
    texts = OneHotEncoder(min_frequency=0.2, handle_unknown="infrequent_if_exist")
    return make_pipeline(make_column_transformer((texts, TEXTS), (numbers, [*NUMBERS, "idle"])), model)


def calibrated(model: Pipeline, method: str = "sigmoid") -> CalibratedClassifierCV:
    return CalibratedClassifierCV(FrozenEstimator(model.fit(FIT, TWO)), method=method)


HIST = {"max_iter": 15, "min_samples_leaf": 10}
MODELS = {
    "boosted trees": ("tree", TWO, lambda: trees(HistGradientBoostingClassifier(**HIST))),
    "boosted trees, calibrated": (
        "tree",
        TWO,
        lambda: calibrated(trees(HistGradientBoostingClassifier(**HIST))),
    ),
    "boosted trees of minutes": ("tree", MOVED, lambda: trees(HistGradientBoostingRegressor(**HIST))),
    "gradient boosting": (
        "tree",
        TWO,
        lambda: scaled(GradientBoostingClassifier(n_estimators=15, random_state=0)),
    ),
    "forest of two classes": ("tree", TWO, lambda: scaled(RandomForestClassifier(15, random_state=0))),
    "forest, calibrated by steps": (
        "tree",
        TWO,
        lambda: calibrated(scaled(RandomForestClassifier(15, random_state=0)), "isotonic"),
    ),
    "forest of three classes": ("tree", THREE, lambda: scaled(RandomForestClassifier(15, random_state=0))),
    "forest of minutes": ("tree", MOVED, lambda: scaled(RandomForestRegressor(15, random_state=0))),
    "logistic regression": ("linear", TWO, lambda: scaled(LogisticRegression())),
    "logistic regression, calibrated": ("linear", TWO, lambda: calibrated(scaled(LogisticRegression()))),
    "ridge": ("linear", MOVED, lambda: scaled(Ridge())),
    "boosted trees of three classes": (
        "kernel",
        THREE,
        lambda: trees(HistGradientBoostingClassifier(**HIST)),
    ),
    "logistic regression of three classes": ("kernel", THREE, lambda: scaled(LogisticRegression())),
    "neighbours": ("kernel", TWO, lambda: scaled(KNeighborsClassifier())),
    "principal components": (
        "kernel",
        TWO,
        lambda: scaled(make_pipeline(StandardScaler(), PCA(3), LogisticRegression())),
    ),
    "calibrated by several": (
        "kernel",
        TWO,
        lambda: CalibratedClassifierCV(scaled(LogisticRegression()), cv=3),
    ),
}


def explained(name: str, frame: pd.DataFrame = ASKED) -> tuple[Explainer, Explained, object]:
    _, target, build = MODELS[name]
    model = build().fit(FIT, target)
    predictor = regression.predictor(model) if target is MOVED else classification.predictor(model)
    found = Explainer(model, predictor, BACKGROUND)
    return found, found.explain(frame, FOREVER), model


@pytest.mark.parametrize("name", MODELS)
def test_the_attributions_add_up_to_what_the_model_answers(name: str) -> None:
    explainer, found, model = explained(name)

    if MODELS[name][1] is MOVED:
        expected = model.predict(ASKED)  # type: ignore[attr-defined]
    else:
        probabilities = model.predict_proba(ASKED)  # type: ignore[attr-defined]
        expected = probabilities[:, 1] if probabilities.shape[1] == 2 else probabilities.max(axis=1)
    assert found.values == pytest.approx(expected, rel=1e-12)
    assert found.expected + found.attributions.sum(axis=1) == pytest.approx(expected, abs=1e-9)
    assert found.attributions.shape == (7, 5)
    assert np.ptp(found.attributions, axis=0).max() > 0.01
    assert explainer.kind == MODELS[name][0]
    assert found.errors == {}


@pytest.mark.parametrize("name", ["boosted trees", "forest of two classes", "logistic regression", "ridge"])
def test_the_exact_explainer_and_the_kernel_find_the_same_columns_to_matter(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact, found, _ = explained(name)
    monkeypatch.setattr(explainer_module, "exact_explainer", lambda *_: None)
    kernel, other, _ = explained(name)

    assert exact.kind != kernel.kind == "kernel"
    assert (
        set(list(exact.importance)[:3]) == set(list(kernel.importance)[:3]) == {"carrier", "distance", "wind"}
    )
    for mine, theirs in zip(found.attributions, other.attributions, strict=True):
        assert np.corrcoef(mine, theirs)[0, 1] > 0.9


def test_a_column_that_the_model_never_sees_moves_nothing() -> None:
    columns = make_column_transformer((StandardScaler(), ["distance"]), remainder="drop")
    model = make_pipeline(columns, LogisticRegression()).fit(FIT, TWO)

    found = Explainer(model, classification.predictor(model), BACKGROUND).explain(ASKED, FOREVER)

    unseen = [place for place, name in enumerate(ASKED) if name != "distance"]
    assert (found.attributions[:, unseen] == 0).all()
    assert (found.attributions[:, 1] != 0).all()


def test_of_two_classes_the_second_is_explained_and_of_more_the_winning_one() -> None:
    _, two, _ = explained("forest of two classes")
    _, three, model = explained("forest of three classes")

    assert two.labels is not None
    assert three.labels is not None
    assert set(two.labels.tolist()) == {1}
    assert three.labels.tolist() == model.predict_proba(ASKED).argmax(axis=1).tolist()  # type: ignore[attr-defined]
    assert len(set(three.labels.tolist())) > 1
    assert explained("ridge")[1].labels is None


def test_what_raises_the_probability_has_a_positive_attribution() -> None:
    asked = ASKED.assign(carrier="UA", distance=3.0)
    _, found, model = explained("boosted trees, calibrated", asked)

    positive = list(model.classes_)[1]  # type: ignore[attr-defined]
    sign = 1 if positive == "late" else -1
    assert (sign * found.attributions[:, :2] > 0).all()


def test_the_same_row_has_the_same_explanation_and_numpys_state_is_left_alone() -> None:
    explainer, found, _ = explained("neighbours")
    np.random.seed(7)
    before = np.random.get_state()[1].tolist()  # type: ignore[index]

    again = explainer.explain(ASKED, FOREVER)

    assert np.random.get_state()[1].tolist() == before  # type: ignore[index]
    assert np.array_equal(found.attributions, again.attributions)


def test_rows_that_there_is_no_time_for_have_errors_and_the_others_their_explanations() -> None:
    _, target, build = MODELS["neighbours"]
    model = build().fit(FIT, target)
    seconds = count()
    explainer = Explainer(
        model, classification.predictor(model), BACKGROUND, clock=lambda: float(next(seconds))
    )

    found = explainer.explain(ASKED, next(seconds) + 6.0)

    assert 0 < len(found.errors) < len(ASKED)
    assert all(told[0] == "internal" and "found none left" in told[1] for told in found.errors.values())
    told = sorted(set(range(len(ASKED))) - set(found.errors))
    assert np.isfinite(found.attributions[told]).all()
    assert np.isnan(found.attributions[list(found.errors)]).all()


def test_importance_is_each_columns_share_the_largest_first() -> None:
    explainer, _, _ = explained("boosted trees")

    assert sum(explainer.importance.values()) == pytest.approx(1)
    assert list(explainer.importance.values()) == sorted(explainer.importance.values(), reverse=True)
    assert next(iter(explainer.importance)) in ("carrier", "distance")
    assert explainer.importance["idle"] < 0.05


def test_of_nothing_that_moves_importance_is_nothing() -> None:
    assert shapley.importance(np.zeros((3, 2)), ["x", "y"]) == {"x": 0, "y": 0}
    assert shapley.importance(np.zeros((0, 2)), ["x", "y"]) == {"x": 0, "y": 0}


def test_one_instance_tells_first_what_moved_it_most() -> None:
    assert list(shapley.instance(np.array([0.1, -3.0, 0.5]), ["x", "y", "z"])) == ["y", "z", "x"]


def test_without_shap_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explainer_module, "is_installed", lambda: False)
    with pytest.raises(ExplainerError, match=r"Install ekiben-mlops\[shap\]"):
        explained("ridge")


class TestSources:
    @pytest.mark.parametrize("build", [trees, scaled])
    def test_an_output_changes_with_its_own_input_alone(self, build: object) -> None:
        prepare = build(HistGradientBoostingRegressor(**HIST)).fit(FIT, MOVED)[:-1]  # type: ignore[operator]
        found = sources_of(prepare, list(FIT.columns))
        assert found is not None

        before = _dense(prepare.transform(FIT))
        assert before.shape[1] == len(found)
        for place, name in enumerate(FIT):
            changed = FIT.assign(**{name: FIT[name].sample(frac=1, random_state=3).to_numpy()})
            moved = ~np.isclose(before, _dense(prepare.transform(changed)), equal_nan=True).all(axis=0)
            assert moved.any()
            assert {found[output] for output in np.flatnonzero(moved)} == {place}

    def test_a_dropped_and_merged_category_has_no_output_of_its_own(self) -> None:
        texts = OneHotEncoder(drop="first", min_frequency=0.2, handle_unknown="infrequent_if_exist")
        step = make_column_transformer((texts, TEXTS)).fit(FIT)
        found = sources_of(step, list(FIT.columns))

        names = [name.split("__")[1].split("_")[0] for name in step.get_feature_names_out()]
        assert found is not None
        assert [FIT.columns[source] for source in found] == names

    @pytest.mark.parametrize("step", [PCA(2), "drop", StandardScaler().fit_transform])
    def test_what_mixes_columns_or_is_not_known_has_none(self, step: object) -> None:
        assert sources_of(step, ["x", "y"]) is None

    def test_a_column_of_nulls_that_the_imputer_leaves_out_has_none(self) -> None:
        step = SimpleImputer().fit(np.array([[np.nan, 1.0], [np.nan, 2.0]]))
        assert sources_of(step, ["x", "y"]) is None


def _dense(found: object) -> np.ndarray:
    return np.asarray(found.toarray() if hasattr(found, "toarray") else found, float)
