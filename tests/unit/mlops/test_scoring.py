"""Bodies and rows must fit the signature of the model that is asked."""

from __future__ import annotations

import pandas as pd
import pytest

from ekiben_contracts.event import FeatureValue
from ekiben_contracts.models import DType, FeatureSpec
from ekiben_mlops.templates.jsonable import predictions_of
from ekiben_mlops.templates.predicting import Scores
from ekiben_mlops.templates.scoring import Scorer, SignatureError
from ekiben_serving.columnar import decode_columns, encode_rows

X = FeatureSpec(name="x", dtype=DType.DOUBLE)
TEXT = FeatureSpec(name="text", dtype=DType.STRING, required=False)
ROW: dict[str, FeatureValue] = {"x": 2, "text": None}


def _lengths(frame: pd.DataFrame) -> Scores:
    if (frame["text"] == "bad").any():
        raise ValueError("unknown text")
    return Scores((frame["x"] + frame["text"].fillna("").str.len()).to_numpy(float))


SCORER = Scorer("m", "1", [X, TEXT], (), _lengths)


def test_columns_in_another_order_are_the_same_columns() -> None:
    answer = SCORER.score_columns(decode_columns(encode_rows([ROW, {"x": 1.0, "text": "abc"}], [TEXT, X])))

    assert answer.values.tolist() == [2.0, 4.0]


@pytest.mark.parametrize(
    ("signature", "told"),
    [
        ([X], "text: expected string or null, found nothing"),
        (
            [X, TEXT, FeatureSpec(name="y", dtype=DType.LONG, required=False)],
            "y: expected nothing, found long or null",
        ),
        ([X.model_copy(update={"dtype": DType.FLOAT}), TEXT], "x: expected double, found float"),
        ([X.model_copy(update={"required": False}), TEXT], "x: expected double, found double or null"),
    ],
)
def test_columns_of_another_signature_are_refused_and_named(signature: list[FeatureSpec], told: str) -> None:
    with pytest.raises(SignatureError, match=told):
        SCORER.score_columns(decode_columns(encode_rows([ROW], signature)))


def test_rows_of_json_are_answered_one_by_one() -> None:
    answer = SCORER.score_rows([{"x": "far"}, ROW, {"x": 1.0, "text": "bad"}, {}, {"x": 1.0, "text": "abc"}])

    found = [one.get("value", one.get("error", {}).get("code")) for one in predictions_of(answer)]
    assert found == ["invalid_request", 2.0, "internal", "missing_features", 4.0]


def test_rows_of_which_none_fits_have_errors_alone() -> None:
    assert [list(one) for one in predictions_of(SCORER.score_rows([{}, {}]))] == [["error"], ["error"]]
