"""Bad input, and models that answer badly: each has its code, and a message that says what to do.

The gateway is whole, the model real, and so is the `bentoml serve` child behind it.
"""

from __future__ import annotations

import asyncio
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ekiben_contracts.prediction import FailureCode
from faults.fault_proxy import Answer, Fault, before, forward
from faults.http_faults import FAULTS
from integration.gateway.asking import FEATURES, Asking
from integration.served import Logged, Served

PAGE = Path(__file__).parents[3] / "docs" / "contracts.md"
LONG_AGO = datetime(2013, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """What is sent, the code it gets (none: it is answered), and what its message says.

    `says` are what was expected, what was found, and what to try.
    """

    asked: dict[str, Any]
    code: FailureCode | None
    says: tuple[str, ...] = ()


def with_(**features: object) -> dict[str, Any]:
    """The good features, some of them otherwise."""
    return {"features": {**FEATURES, **features}}


def without(name: str) -> dict[str, Any]:
    return {"features": {each: value for each, value in FEATURES.items() if each != name}}


MENDED = "Send it mended under a new request_id"
SENT = "Send them in the request, under a new request_id"
INVALID, LACKING = FailureCode.INVALID_REQUEST, FailureCode.MISSING_FEATURES
SENT_BADLY = {
    "a model that nobody routed": Case(
        {"model": "early"},
        FailureCode.UNKNOWN_MODEL,
        ("expected the name of a routed model", "found 'early'; routed are both, late", "Deploy early"),
    ),
    "a feature too many": Case(with_(colour="red"), None),
    "a feature too few": Case(
        without("distance"), LACKING, ("expected a value for distance", "found 1 absent", SENT)
    ),
    "no features at all": Case({"features": {}}, LACKING, ("expected a value for", "6 absent", SENT)),
    "null for the features": Case(
        {"features": None}, LACKING, ("expected the features distance", "found null", "send the features")
    ),
    "a text for a number": Case(
        with_(hour="7"), INVALID, ("hour: expected an integer of 32 bits", "found '7' (str)", MENDED)
    ),
    "a number for a text": Case(
        with_(carrier=7), INVALID, ("carrier: expected a text", "found 7 (int)", MENDED)
    ),
    "a number for true or false": Case(
        with_(night=0), INVALID, ("night: expected true or false", "found 0 (int)", MENDED)
    ),
    "a fraction for an integer": Case(
        with_(seats=1.5), INVALID, ("seats: expected an integer", "found 1.5", MENDED)
    ),
    "a number beyond its column": Case(
        with_(hour=2**40), INVALID, ("hour: expected an integer of 32 bits", "found 1099511627776", MENDED)
    ),
    "a list for a feature": Case(with_(hour=[7]), INVALID, ("features.hour", "expected", MENDED)),
    "null where it is not allowed": Case(
        with_(seats=None), LACKING, ("expected a value for seats", "0 absent and 1 null", SENT)
    ),
    "null where it is allowed": Case(with_(wind=None), None),
    "NaN": Case(with_(distance=math.nan), INVALID, ("features.distance", "finite", MENDED)),
    "infinity": Case(with_(distance=math.inf), INVALID, ("features.distance", "finite", MENDED)),
    "a category that the model never saw": Case(
        with_(carrier="ZZ"),
        FailureCode.INTERNAL,
        ("expected a prediction", "found unknown categories ['ZZ']", "replay the dead letter"),
    ),
    "a deadline that is over": Case(
        {"deadline": LONG_AGO.isoformat()},
        FailureCode.DEADLINE_EXCEEDED,
        ("expected to have its turn by", "found it", "a later deadline"),
    ),
    "an ensemble that lacks a member it needs": Case(
        {"model": "both"},
        FailureCode.INSUFFICIENT_MODELS,
        (
            "expected outputs of at least 2 members",
            "found 1",
            "absent: unknown_model",
            "replay the dead letter",
        ),
    ),
}


async def _late(answer: Answer, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(1.0)
    await forward(answer, writer)


DEAD_LETTER = "replay the dead letter"
ANSWERED_BADLY: dict[str, tuple[Fault, Case]] = {
    "a model that answers late": (
        _late,
        Case({}, FailureCode.MODEL_UNAVAILABLE, ("expected an answer", "found none", DEAD_LETTER)),
    ),
    "a model that never answers": (
        FAULTS["no answer"][1],
        Case({}, FailureCode.MODEL_UNAVAILABLE, ("expected an answer", "found none", DEAD_LETTER)),
    ),
    "a model that answers too few rows": (
        FAULTS["a row too few"][1],
        Case({}, FailureCode.INTERNAL, ("expected answers to 2 rows", "found 1", DEAD_LETTER)),
    ),
    "a model that answers NaN": (
        FAULTS["NaN in one row"][1],
        Case({}, FailureCode.INTERNAL, ("expected finite numbers", "found NaN", DEAD_LETTER)),
    ),
}


def judge(asking: Asking, name: str, case: Case) -> None:
    """The request has one end: outputs, or the failure of the case with its dead letter where it has one."""
    assert (name in asking.scored) == (case.code is None)
    if case.code is None:
        return
    failed = asking.failed[name]
    assert failed.code is case.code
    missing = [words for words in case.says if words.lower() not in failed.message.lower()]
    assert not missing, f"expected {missing} in {failed.message!r}"
    assert (failed.dead_letter is None) == case.code.is_plain_answer
    assert failed.dead_letter is None or failed.dead_letter in asking.dead_letters


@pytest.mark.parametrize("case", SENT_BADLY.values(), ids=SENT_BADLY)
async def test_what_is_sent_badly_has_its_code_and_costs_no_neighbour(
    case: Case, classifier: Logged, served: Served
) -> None:
    asking = Asking()
    async with asking.before(classifier.event, served.url):
        asking.send("before")
        asking.send("bad", **case.asked)
        asking.send("behind")
        await asking.answered(3)
    judge(asking, "bad", case)
    assert {"before", "behind"} <= asking.scored.keys()


@pytest.mark.parametrize(("fault", "case"), ANSWERED_BADLY.values(), ids=ANSWERED_BADLY)
async def test_a_model_that_answers_badly_has_its_code(
    fault: Fault, case: Case, classifier: Logged, served: Served
) -> None:
    asking = Asking()
    async with before(served.url) as proxy:
        proxy.fault = fault
        impatient = {"call_budget_s": 0.5, "max_retries": 0, "outage_patience_s": 0.0}
        asking.send("first")
        asking.send("second")
        async with asking.before(classifier.event, proxy.url, **impatient):
            await asking.answered(2)
    judge(asking, "first", case)
    told = asking.failed.keys()
    assert told == ({"first"} if fault is FAULTS["NaN in one row"][1] else {"first", "second"})


async def test_a_model_that_answers_later_than_a_deadline_is_told_by_the_deadline(
    classifier: Logged, served: Served
) -> None:
    asking = Asking()
    async with before(served.url) as proxy:
        proxy.fault = FAULTS["no answer"][1]
        async with asking.before(classifier.event, proxy.url, call_budget_s=0.2, clock_skew_s=0.0):
            asking.send("first", deadline=(datetime.now(UTC) + timedelta(seconds=0.5)).isoformat())
            await asking.answered(1)
    assert asking.failed["first"].code is FailureCode.DEADLINE_EXCEEDED


async def test_ten_thousand_rows_are_answered_and_bad_ones_among_them_cost_no_other(
    classifier: Logged, served: Served
) -> None:
    asking = Asking()
    bad = {17: with_(hour="7"), 5_000: with_(carrier="ZZ"), 9_999: without("distance")}
    for number in range(10_000):
        asking.send(str(number), **bad.get(number, {}))
    async with asking.before(classifier.event, served.url):
        await asking.answered(10_000)
    assert {name: failed.code.value for name, failed in asking.failed.items()} == {
        "17": "invalid_request",
        "5000": "internal",
        "9999": "missing_features",
    }
    assert len(asking.scored) == 9_997


def test_every_code_has_a_case() -> None:
    cases = [*SENT_BADLY.values(), *(case for _, case in ANSWERED_BADLY.values())]
    assert {case.code for case in cases} - {None} == set(FailureCode)


def test_the_page_tells_every_code_and_whether_it_has_a_dead_letter() -> None:
    told = re.findall(r"^\| `(\w+)` \| .+? \| (yes|no) \| .+? \|$", PAGE.read_text(), re.MULTILINE)
    assert told == [(code.value, "no" if code.is_plain_answer else "yes") for code in FailureCode]


def test_the_page_tells_every_case_and_its_code() -> None:
    cases = {**SENT_BADLY, **{name: case for name, (_, case) in ANSWERED_BADLY.items()}}
    (table,) = re.findall(r"^\| what is wrong .*\n.*\n((?:\|.*\n)+)", PAGE.read_text(), re.MULTILINE)
    told = re.findall(r"^\| (.+?) \| (?:`(\w+)`|answered)", table, re.MULTILINE)
    assert told == [(name, case.code.value if case.code else "") for name, case in cases.items()]
