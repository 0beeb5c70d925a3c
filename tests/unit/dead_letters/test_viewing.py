"""What a dead letter shows to somebody who only looks, and what it takes to see more."""

from __future__ import annotations

import base64
import json

import pytest
from typer.testing import CliRunner

from ekiben import Ekiben
from ekiben.cli.app import app
from ekiben.dead_letters import Actor, Viewer, whole
from ekiben.errors import InvalidInputError
from ekiben.routes import Routes
from ekiben_bus.publishing import PublishError
from ekiben_contracts.checked_in import read
from ekiben_contracts.cloudevents import decode, encode, encode_structured
from ekiben_contracts.models import DType, FeatureSpec, Method, ProblemType, Role
from ekiben_contracts.operations import DeadLetterRevealed
from ekiben_contracts.prediction import PredictionRequested
from ekiben_contracts.routing import EnsembleDefined, ModelRouted, RoutedVersion
from ekiben_contracts.sensitive import REDACTED
from ekiben_contracts.topics import DEAD_LETTER_ACTIONS
from ekiben_contracts.training import ModelTrained
from unit.dead_letters.building import NOW, bury, letter, payload, records

SECRET = "wears a wig"
SENT = payload(features={"carrier": SECRET, "hour": 5})
EVE = Actor("eve", "the sender asks")


def version(number: str, *sensitive: str) -> RoutedVersion:
    specs = [
        FeatureSpec(name=name, dtype=DType.STRING, sensitive=name in sensitive)
        for name in ("carrier", "hour")
    ]
    return RoutedVersion(version=number, url="http://m", weight=10_000, role=Role.CHAMPION, signature=specs)


def routed(*versions: RoutedVersion, model: str = "delay") -> Routes:
    route = ModelRouted(
        model=model,
        revision=1,
        problem_type=ProblemType.REGRESSION,
        versions=list(versions),
        routed_at=NOW,
    )
    return Routes({model: route}, {})


@pytest.fixture
async def ekiben(cluster):
    async with Ekiben(cluster=cluster, now=lambda: NOW) as ekiben:
        yield ekiben


def test_a_sensitive_feature_of_any_routed_version_is_not_shown():
    view = Viewer(routed(version("1", "carrier"), version("2"))).view(letter(SENT))
    assert view.value == {
        **json.loads(SENT),
        "features": {"carrier": REDACTED, "hour": 5},
        "unknown": REDACTED,
    }
    assert view.raw is None


def test_of_a_model_that_nobody_routes_no_feature_is_shown():
    view = Viewer(Routes({}, {})).view(letter(SENT))
    assert view.value["features"] == {"carrier": REDACTED, "hour": REDACTED}
    assert view.value["model"] == "delay"


def test_a_feature_of_an_ensemble_is_shown_where_no_member_minds():
    ensemble = EnsembleDefined(
        ensemble="delay", revision=1, members=["a", "b"], method=Method.AVERAGE, defined_at=NOW
    )
    models = {**routed(version("1", "carrier"), model="a").models, **routed(version("1"), model="b").models}
    view = Viewer(Routes(models, {"delay": ensemble})).view(letter(SENT))
    assert view.value["features"] == {"carrier": REDACTED, "hour": 5}


def test_error_and_stack_and_headers_do_not_quote_what_is_hidden_and_strange_headers_are_not_shown():
    dead = letter(
        SENT,
        original=(
            ("ce_subject", SECRET.encode()),
            ("authorization", b"Bearer abc"),
            ("traceparent", b"00-1"),
        ),
        error_message=f"cannot take {SECRET!r}",
        error_stack=f"Traceback\nKeyError: '{SECRET}'",
    )
    view = Viewer(routed(version("1", "carrier"))).view(dead)
    assert dict(view.headers) == {
        "ce_subject": REDACTED,
        "authorization": REDACTED,
        "traceparent": "00-1",
    }
    assert view.error_message == f"cannot take '{REDACTED}'"
    assert SECRET not in view.error_stack
    assert SECRET not in repr(dead)


def test_a_feature_that_one_routed_version_does_not_know_is_not_shown():
    knows_less = version("2").model_copy(update={"signature": version("2").signature[:1]})
    view = Viewer(routed(version("1"), knows_less)).view(letter(SENT))
    assert view.value["features"] == {"carrier": SECRET, "hour": REDACTED}


def test_of_an_ensemble_with_a_member_that_nobody_routes_no_feature_is_shown():
    ensemble = EnsembleDefined(
        ensemble="delay", revision=1, members=["a", "b"], method=Method.AVERAGE, defined_at=NOW
    )
    view = Viewer(Routes(routed(version("1"), model="a").models, {"delay": ensemble})).view(letter(SENT))
    assert view.value["features"] == {"carrier": REDACTED, "hour": REDACTED}


def test_nothing_is_shown_of_an_object_below_a_feature():
    sent = payload(features={"carrier": {"hour": SECRET}, "hour": {"hour": SECRET}})
    view = Viewer(routed(version("1", "carrier"))).view(letter(sent))
    assert view.value["features"] == {"carrier": REDACTED, "hour": REDACTED}


def test_an_example_of_a_trained_model_is_judged_by_its_own_signature_too():
    trained = json.loads(read().examples[ModelTrained.type])
    features = {"hour": 5, "carrier": "ua"}
    own = [{"name": name, "dtype": "string", "sensitive": name == "hour"} for name in features]
    sent = {**trained, "model": "delay", "signature": own, "input_example": {"features": features}}
    dead = letter(json.dumps(sent).encode(), original=(("ce_type", ModelTrained.type.encode()),))
    view = Viewer(routed(version("1"))).view(dead)
    assert view.value["input_example"]["features"] == {"hour": REDACTED, "carrier": "ua"}


def test_headers_without_a_value_and_extensions_in_either_mode():
    sent = (("ce_patientname", SECRET.encode()), ("gone", None), ("content-type", None), ("ce_type", None))
    shown = {"ce_patientname": REDACTED, "gone": "none", "content-type": "none", "ce_type": "none"}
    dead = letter(SENT, original=sent)
    assert dict(Viewer(routed(version("1"))).view(dead).headers) == shown
    assert dict(whole(dead).headers) == {**shown, "ce_patientname": SECRET}


def test_an_event_written_as_a_text_and_an_attribute_that_is_no_text_are_not_shown():
    event = PredictionRequested(model="delay", entity_id="e", features={"carrier": SECRET})
    value, headers = encode_structured(event, id="r", source="test", time=NOW)
    envelope = json.loads(value)
    sent = {**envelope, "data": json.dumps(envelope["data"]), "subject": SECRET, "id": {"of": SECRET}}
    dead = letter(json.dumps(sent).encode(), original=tuple(headers), error_message=f"found {sent['data']!r}")
    view = Viewer(routed(version("1"))).view(dead)
    assert SECRET not in f"{view.value} {view.error_message}"
    assert view.value["source"] == "test"


@pytest.mark.parametrize(
    "value", [SECRET.encode(), b"\xff" + SECRET.encode(), json.dumps([SECRET]).encode(), SENT[:-1]]
)
def test_a_value_that_cannot_be_told_apart_is_not_shown_at_all(value):
    view = Viewer(routed(version("1"))).view(
        letter(value, error_message=SECRET, error_stack=SECRET, error_class="KeyError")
    )
    assert (view.error_message, view.error_stack) == (REDACTED, REDACTED)
    ours = letter(value, error_message="found 9 bytes", error_class="UnreadableError")
    assert Viewer(routed(version("1"))).view(ours).error_message == "found 9 bytes"
    assert view.value == f"{REDACTED} {len(value)} bytes in which nobody can tell what is sensitive"


def test_structured_events_are_looked_through_and_unknown_attributes_left_out():
    event = PredictionRequested(model="delay", entity_id="e", features={"carrier": SECRET, "hour": 5})
    value, headers = encode_structured(event, id="r", source="test", time=NOW)
    value = json.dumps({**json.loads(value), "note": SECRET}).encode()
    viewer = Viewer(routed(version("1", "carrier")))
    view = viewer.view(letter(value, original=tuple(headers)))
    assert view.value["data"]["features"] == {"carrier": REDACTED, "hour": 5}
    assert (view.value["id"], view.value["note"]) == ("r", REDACTED)
    assert SECRET not in str(viewer.view(letter(value)).value)


def test_the_type_in_the_headers_says_what_the_value_is():
    event = PredictionRequested(model="delay", entity_id="e", features={"hour": 5})
    value, headers = encode(event, id="r", source="test", time=NOW)
    viewer = Viewer(routed(version("1")))
    assert viewer.view(letter(value, original=tuple(headers))).value["features"] == {"hour": 5}
    strange = (("ce_type", b"somebody.else.v1"),)
    assert viewer.view(letter(value, original=strange)).value.startswith(REDACTED)


def test_nothing_is_nothing():
    viewer = Viewer(routed(version("1")))
    assert viewer.view(letter(b"")).value == ""


def test_all_of_it_byte_for_byte_for_who_asked():
    view = whole(letter(b'{"half": \xff', original=(("origin", b"test\x00"),)))
    assert view.value == '{"half": \\xff'
    assert base64.b64decode(view.raw or "") == b'{"half": \xff'
    assert view.headers == [("origin", "test\\x00")]


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
def test_what_is_no_json_is_shown_as_text_so_that_json_stays_json(number):
    sent = f'{{"x": {number}}}'
    assert whole(letter(sent.encode())).value == sent


@pytest.mark.parametrize("actor", [Actor("", "why"), Actor("eve"), Actor("eve", " ")])
async def test_nothing_is_revealed_to_nobody_or_for_no_reason(cluster, ekiben, actor):
    with pytest.raises(InvalidInputError, match="who looks, and why"):
        await ekiben.dead_letters().reveal(bury(cluster, SENT), actor)


async def test_who_looked_and_why_is_on_record_each_time(cluster, ekiben):
    dead = bury(cluster, SENT)
    case = await ekiben.dead_letters().reveal(dead, EVE)
    assert case.letter.value == SENT
    assert not case.is_settled
    (look,) = case.looks
    assert (look.by, look.why, look.dead_letter, look.acted_at) == ("eve", "the sender asks", dead, NOW)
    await ekiben.dead_letters().reveal(dead, Actor("ann", "me too"))
    found = [
        decode(record.value, record.headers, DEAD_LETTER_ACTIONS)
        for record in records(cluster, DEAD_LETTER_ACTIONS.name)
    ]
    assert [type(event.data) for event in found] == [DeadLetterRevealed] * 2
    assert len({event.id for event in found}) == 2
    assert [one.id async for one in ekiben.dead_letters().unsettled()] == [dead]


async def test_what_cannot_be_recorded_is_not_revealed(cluster, ekiben, monkeypatch):
    dead = bury(cluster, SENT)

    async def refuse(records):
        raise PublishError("not allowed")

    monkeypatch.setattr(ekiben._connection, "publish", refuse)
    with pytest.raises(PublishError):
        await ekiben.dead_letters().reveal(dead, EVE)


def test_a_look_without_a_reason_is_refused_before_any_broker_is_asked(monkeypatch):
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    ended = CliRunner().invoke(app, ["dlq", "show", "t/g/0/0/1", "--reveal", "--why", " "])
    assert ended.exit_code == 2
    assert "expected a reason" in ended.output
