"""A team without any Ekiben code: bare JSON in, JSON out."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.every_rung
FEATURES = {"x": 2.0, "y": 0.0}


def test_bare_json_without_headers_is_answered(plain, fresh):
    plain.send(
        {"request_id": fresh, "model": "tiny-keen", "entity_id": "e1", "features": {"x": 2.0, "y": 0.0}},
        key="e1",
    )
    result = plain.result(fresh)
    assert result["status"] == "completed"
    assert result["label"] == "yes"
    assert result["prediction"] > 0.5
    assert [(output["model"], output["version"]) for output in result["outputs"]] == [("tiny-keen", "1")]


def test_a_result_is_a_cloudevent_that_keeps_the_key_of_its_request(plain, fresh):
    plain.send(
        {"request_id": fresh, "model": "tiny-mild", "entity_id": "e2", "features": {"x": 1.0, "y": 1.0}},
        key="e2",
    )
    (record,) = plain.results([fresh])[fresh]
    headers = dict(record.headers())
    assert headers["ce_id"] == f"{fresh}/result/1".encode()
    assert headers["ce_type"] == b"ekiben.prediction.completed.v1"
    assert headers["ce_specversion"] == b"1.0"
    assert record.key() == b"e2"


def test_an_ensemble_answers_with_the_average_of_its_members(plain, fresh):
    plain.send({"request_id": fresh, "model": "tiny", "entity_id": "e3", "features": {"x": 0.5, "y": 0.0}})
    result = plain.result(fresh)
    values = [output["value"] for output in result["outputs"]]
    assert len(values) == 2
    assert result["prediction"] == pytest.approx(sum(values) / 2)
    assert result["agreement"] is not None


def test_a_request_without_an_id_is_known_by_its_place(plain):
    partition, offset = plain.send(
        {"model": "tiny-keen", "entity_id": "e4", "features": {"x": -2.0, "y": 0.0}}, key="e4"
    )
    (record,) = plain.results([f"{plain.requests}-{partition}-{offset}"]).popitem()[1]
    assert json.loads(record.value())["label"] == "no"
