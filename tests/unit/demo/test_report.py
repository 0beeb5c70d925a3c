from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from ekiben.demo.ledger import Ledger, Phase
from ekiben.demo.rendering import NextStep, show
from ekiben.demo.report import Report, make_report
from ekiben.demo.store_costs import StoreCosts

KEYS = [
    "sent",
    "completed",
    "failed",
    "unreadable",
    "lost",
    "duplicates",
    "dead_letters",
    "requests_per_second",
    "p50_ms",
    "p95_ms",
    "p99_ms",
    "auc",
    "seconds",
    "rss_mb",
]


def _ledger() -> Ledger:
    ledger = Ledger()
    for n in range(1_000):
        ledger.sent(f"bulk-{n}", Phase.BULK, 0.0)
        ledger.answered(f"bulk-{n}", 2.0)
    for n in range(1, 101):
        ledger.sent(f"paced-{n}", Phase.PACED, 10.0)
        ledger.answered(f"paced-{n}", 10.0 + n / 1000)
    ledger.sent("strange", Phase.BROKEN, 0.0)
    ledger.answered("strange", 1.0, code="unknown_model")
    ledger.buried("letter", "strange", 1.0)
    ledger.sent("no-json", Phase.BROKEN, 0.0)
    ledger.buried("letter-2", "no-json", 1.0)
    return ledger


def _report(ledger: Ledger | None = None) -> Report:
    auc = {"flight-delay-trees": 0.74321, "flight-delay": None}
    return make_report(ledger or _ledger(), auc, seconds=61.26, rss_mb={"kafka": 400.0, "demo": 99.96})


def _shown(report: Report, *, terminal: bool = False) -> str:
    console = Console(file=io.StringIO(), width=100, force_terminal=terminal)
    show(report, [NextStep("ekiben dlq list", "the dead letters")], console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_json_has_the_agreed_keys_and_numbers() -> None:
    numbers = json.loads(_report().to_json())

    assert list(numbers) == KEYS
    assert numbers["sent"] == 1_102
    assert numbers["sent"] == numbers["completed"] + numbers["failed"] + numbers["unreadable"]
    assert (numbers["failed"], numbers["unreadable"], numbers["lost"], numbers["dead_letters"]) == (
        1,
        1,
        0,
        2,
    )
    assert numbers["requests_per_second"] == 500.0
    assert [numbers["p50_ms"], numbers["p95_ms"], numbers["p99_ms"]] == [50.0, 95.0, 99.0]
    assert numbers["auc"] == {"flight-delay-trees": 0.7432, "flight-delay": None}
    assert numbers["seconds"] == 61.3
    assert numbers["rss_mb"] == {"kafka": 400.0, "demo": 100.0}


def test_what_was_not_measured_is_null() -> None:
    numbers = json.loads(_report(Ledger()).to_json())

    assert numbers["requests_per_second"] is numbers["p50_ms"] is numbers["p99_ms"] is None


@pytest.mark.parametrize(
    "text",
    ["1,102 sent = 1,100 completed + 1 failed + 1 unreadable", "unknown_model", "0.7432", "ekiben dlq list"],
)
def test_the_closing_report_says_it_to_people(text: str) -> None:
    assert text in _shown(_report())


def test_a_lost_request_is_named() -> None:
    ledger = _ledger()
    ledger.sent("2013-12-24-UA-1-EWR", Phase.BULK, 1.0)

    shown = _shown(_report(ledger))

    assert "Requests are missing" in shown
    assert "such as 2013-12-24-UA-1-EWR" in shown
    assert "1 of 1,103 have no answer and no dead letter" in shown


def test_colours_are_for_terminals() -> None:
    assert "\x1b[" not in _shown(_report())
    assert "\x1b[" in _shown(_report(), terminal=True)


def test_a_replay_from_the_store_is_a_share_of_the_one_that_brings_its_features() -> None:
    ledger = _ledger()
    for n in range(1_000):
        ledger.sent(f"store-{n}", Phase.STORE, 20.0)
        ledger.answered(f"store-{n}", 24.0)
    report = make_report(ledger, {}, 30.0, {}, StoreCosts(entities=1_000, seconds=0.08))
    found = json.loads(report.to_json())["features_from_store"]
    assert found == {"requests_per_second": 250.0, "to_brought": 0.5, "us_per_entity": 80.0}
    out = io.StringIO()
    show(report, [], Console(file=out, width=120))
    assert "Features from the store" in out.getvalue()
    assert "80 µs" in out.getvalue()
