"""A sample belongs to the innermost frame that is in a step."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

from benchmarks.steps import REST, STEPS, functions, microseconds

LOOP = ["asyncio.runners", "Runner.run"]
HANDLER = ["ekiben_inference_gateway.handler", "answer"]
ENCODE = ["ekiben_contracts.cloudevents", "encode"]
PYDANTIC = ["pydantic.main", "BaseModel.model_dump_json"]


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    file = tmp_path / "samples.json"
    stacks = [
        [[LOOP], 0.001],
        [[LOOP, HANDLER], 0.002],
        [[LOOP, HANDLER, ENCODE, PYDANTIC], 0.004],
        [[LOOP, ["ekiben_contracts.cloudevents_of_another", "encode"]], 0.008],
    ]
    file.write_text(json.dumps(stacks))
    return file


def test_time_goes_to_the_innermost_step_and_is_told_for_one_event(samples: Path) -> None:
    found = microseconds(samples, 1000)

    assert found["dump the event"] == pytest.approx(4.0)
    assert found["verdicts, order, counting"] == pytest.approx(2.0)
    assert found[REST] == pytest.approx(9.0)
    assert sum(found.values()) == pytest.approx(15.0)


def test_the_dearest_functions_come_first(samples: Path) -> None:
    assert [name for name, _ in functions(samples, 1000)][:2] == [
        "ekiben_contracts.cloudevents_of_another.encode",
        "pydantic.main.BaseModel.model_dump_json",
    ]


def test_every_step_names_code_that_is_there() -> None:
    gone = [place for places in STEPS.values() for place in places if not _exists(place)]

    assert gone == []


def _exists(place: str) -> bool:
    parts = place.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for name in parts[length:]:
            found = getattr(found, name, None)
        return found is not None
    return False
