from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ekiben.demo.place import choose_place, make_ready
from ekiben.local import running
from ekiben.local.home import Home

NOW = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EKIBEN_HOME", raising=False)
    return tmp_path


def test_without_any_wish_it_has_a_fresh_home_of_its_own(folder: Path) -> None:
    place = choose_place(None, is_broker_named=False, now=NOW)

    assert place.home.path == folder / ".ekiben" / "demo"
    assert (place.is_running, place.is_fresh, place.run) == (False, True, "")


def test_what_an_earlier_demo_left_is_removed_and_nothing_else(folder: Path) -> None:
    place = choose_place(None, is_broker_named=False, now=NOW)
    place.home.path.mkdir(parents=True)
    (place.home.path / "mlflow.db").write_text("old")
    (folder / ".ekiben" / "mlflow.db").write_text("mine")

    make_ready(place)

    assert list(place.home.path.iterdir()) == []
    assert (folder / ".ekiben" / "mlflow.db").read_text() == "mine"


def test_a_given_home_is_used_as_it_is_with_request_ids_of_this_run(folder: Path) -> None:
    given = folder / "given"
    given.mkdir()
    (given / "mlflow.db").write_text("mine")

    place = choose_place(given, is_broker_named=False, now=NOW)
    make_ready(place)

    assert (place.home.path, place.is_fresh, place.run) == (given, False, "20260203T040506")
    assert (given / "mlflow.db").read_text() == "mine"


def test_a_broker_that_was_there_before_gets_request_ids_of_this_run(folder: Path) -> None:
    place = choose_place(None, is_broker_named=True, now=NOW)

    assert (place.home.path, place.is_fresh) == (folder / ".ekiben", False)
    assert place.run


@pytest.mark.parametrize("name", [".ekiben", ".ekiben/demo"])
def test_a_system_that_runs_is_used(folder: Path, name: str) -> None:
    with running.held(Home(folder / name)):
        place = choose_place(None, is_broker_named=False, now=NOW)

    assert place.home.path == folder / name
    assert (place.is_running, place.is_fresh) == (True, False)
    assert place.run
