from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ekiben.cli.app import app
from ekiben.demo import demonstration
from ekiben.demo.hosting import Host
from ekiben.demo.ledger import Ledger, Phase
from ekiben.demo.plan import Plan
from ekiben.demo.report import Report, make_report
from ekiben.demo.showing import Show


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("EKIBEN_HOME", "KAFKA_BOOTSTRAP_SERVERS", "EKIBEN_TOPIC_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def _stands_in(monkeypatch: pytest.MonkeyPatch, *, answered: int, cancelled: bool = False) -> list[Plan]:
    """A demonstration that starts nothing: of two requests so many are answered."""
    plans: list[Plan] = []

    async def demonstrate(_host: Host, plan: Plan, show: Show) -> Report:
        plans.append(plan)
        with show.stage("Training"):
            await asyncio.sleep(0)
        if cancelled:
            raise asyncio.CancelledError
        ledger = Ledger()
        for n in range(2):
            ledger.sent(f"flight-{n}", Phase.BULK, 0.0)
        for n in range(answered):
            ledger.answered(f"flight-{n}", 1.0)
        return make_report(ledger, {"trees": 0.75}, 60.0, {"kafka": 400.0})

    monkeypatch.setattr(demonstration, "demonstrate", demonstrate)
    return plans


def test_when_all_is_accounted_for_it_reports_and_exits_with_0(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = _stands_in(monkeypatch, answered=2)

    ended = CliRunner().invoke(app, ["demo", "--requests", "2", "--paced", "0.5", "--json", "out.json"])

    assert ended.exit_code == 0
    assert plans == [Plan(requests=2, paced_s=0.5)]
    assert "2 sent = 2 completed" in ended.stdout
    assert "ekiben up --home .ekiben/demo" in ended.stdout
    assert "Training: done" in ended.stderr
    assert json.loads((folder / "out.json").read_text())["lost"] == 0


def test_a_lost_request_is_exit_code_1_and_still_reported(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _stands_in(monkeypatch, answered=1)

    ended = CliRunner().invoke(app, ["demo", "--json", "out.json"])

    assert ended.exit_code == 1
    assert "such as flight-1" in ended.stdout
    assert json.loads((folder / "out.json").read_text())["lost"] == 1


def test_ctrl_c_is_exit_code_130_without_a_report(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _stands_in(monkeypatch, answered=2, cancelled=True)

    ended = CliRunner().invoke(app, ["demo", "--json", "out.json"])

    assert ended.exit_code == 130
    assert ended.stdout == ""
    assert "interrupted" in ended.stderr
    assert not (folder / "out.json").exists()


def test_a_file_that_cannot_be_written_is_told_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    plans = _stands_in(monkeypatch, answered=2)

    ended = CliRunner().invoke(app, ["demo", "--json", "no-such-folder/out.json"])

    assert ended.exit_code == 2
    assert "no-such-folder" in ended.stderr
    assert plans == []


def test_a_given_home_ends_the_request_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    plans = _stands_in(monkeypatch, answered=2)

    CliRunner().invoke(app, ["demo", "--home", "mine"])

    assert plans[0].run
