"""The events that the gateway builds."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from ekiben_contracts.models import Method
from ekiben_contracts.prediction import FailureCode, ModelsScored, Output
from ekiben_inference_gateway.answers import scored_event
from ekiben_inference_gateway.policies import Gap
from ekiben_inference_gateway.requests import Request
from ekiben_inference_gateway.routing import Router
from ekiben_inference_gateway.scoring import Asked, Scored
from unit.gateway.building import NOW, FakeRoutes, calibration, ensemble, model, received, version

texts = st.text(min_size=1, max_size=20)
finite = st.floats(allow_nan=False, allow_infinity=False)
features = st.dictionaries(
    texts, st.booleans() | st.integers(-(2**53), 2**53) | finite | texts | st.none(), max_size=5
)
outputs = st.builds(
    Output,
    model=st.sampled_from(["delay", "weather"]),
    version=st.sampled_from("12"),
    value=finite,
    label=st.none() | texts,
    probabilities=st.none() | st.dictionaries(texts, st.floats(0, 1), max_size=3),
    latency_ms=st.floats(0, 1e6),
)
gaps = st.builds(Gap, st.sampled_from(["delay", "weather"]), st.sampled_from(FailureCode), texts)
definitions = st.sampled_from(
    [
        ("delay", [model("delay", version(calibration=calibration("delay-1")))]),
        ("both", [ensemble("both"), model("delay"), model("weather", version(calibration=calibration("w")))]),
        (
            "both",
            [
                ensemble("both", method=Method.WEIGHTED, weights={"delay": 1.5}, coverage=0.8),
                model("delay"),
                model("weather"),
            ],
        ),
    ]
)


@given(definitions, features, st.lists(outputs, max_size=2), st.lists(gaps, max_size=2), st.booleans())
def test_a_scored_event_equals_one_that_was_validated(defined, values, answered, missing, context):
    name, routes = defined
    plan = Router(FakeRoutes.of(*routes)).plan(name)
    asked = received(model=name, features=values, context=context, deadline=NOW).event
    choices = tuple(member.draw("flight-0") for member in plan.members)
    event = scored_event(
        Scored(Asked(Request("flight-0", asked, NOW, 2), plan, asked.features, choices), answered, missing)
    )
    validated = ModelsScored.model_validate_json(event.to_json(), strict=True)
    assert event.to_json() == validated.to_json()
    flat = ModelsScored.model_fields.keys() - {"outputs", "missing"}
    assert all(getattr(event, name) == getattr(validated, name) for name in flat)
    assert all(math.isfinite(output.value) for output in event.outputs)
