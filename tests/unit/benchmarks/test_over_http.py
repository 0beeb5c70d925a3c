"""What is measured over HTTP counts only where every request was answered; and wrk is really asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.over_http.comparing import Comparison, Round, unpublished
from benchmarks.over_http.options import read_options
from benchmarks.over_http.sides import BATCHED, BENTO, SINGLE
from benchmarks.over_http.tables import summary
from benchmarks.over_http.wrk import (
    Load,
    WrkFailedError,
    WrkMissingError,
    find_wrk,
    put_load,
    write_bodies,
)


def load(rate: int, *, refused: int = 0, broken: int = 0) -> Load:
    return Load(
        requests=rate, seconds=1.0, refused=refused, broken=broken, p50_ms=1.0, p95_ms=2.0, p99_ms=3.0
    )


def rounds(*loads: Load) -> list[Round]:
    return [Round(one, None, None) for one in loads]


def compared(**sides: list[Round]) -> Comparison:
    names = {"bento": BENTO, "single": SINGLE, "batched": BATCHED}
    return Comparison(16, {names[side]: every for side, every in sides.items()})


def test_a_ratio_is_the_median_of_rounds_that_ran_beside_each_other() -> None:
    found = compared(
        bento=rounds(load(100), load(50), load(200)), single=rounds(load(90), load(100), load(100))
    )

    assert found.to(SINGLE, BENTO) == 0.9  # of 0.9, 2 and 0.5


@pytest.mark.parametrize("failure", [load(1000, refused=1), load(1000, broken=1), load(0)])
def test_one_failure_makes_a_run_void_and_leaves_it_without_ratios(failure: Load) -> None:
    found = compared(bento=rounds(load(100), load(100)), batched=rounds(load(400), failure))

    (why,) = found.void()

    assert why.startswith(f"{BATCHED} at 16 connections")
    said = summary(found, found.void())
    assert (said["batched_to_bento"], said["single_to_bento"]) == (None, None)
    assert said["void"] == [why]
    assert said["failed"] == 1


def test_a_failing_reference_makes_nobody_look_quick() -> None:
    found = compared(bento=rounds(load(10, refused=9)), single=rounds(load(100)), batched=rounds(load(100)))

    assert found.to(SINGLE, BENTO) is None
    assert len(found.void()) == 1


def test_the_last_line_has_both_ratios_where_nothing_failed() -> None:
    found = compared(bento=rounds(load(100)), single=rounds(load(90)), batched=rounds(load(300)))

    said = json.loads(json.dumps(summary(found, found.void())))

    assert (said["single_to_bento"], said["batched_to_bento"]) == (0.9, 3.0)
    assert (said["failed"], said["void"]) == (0, [])


def test_answers_that_were_not_published_make_a_run_void() -> None:
    assert unpublished(SINGLE, answered=10, published=10) == []
    assert unpublished(SINGLE, answered=10, published=12) == []  # wrk does not count what it breaks off
    assert unpublished(SINGLE, answered=10, published=9) == [
        f"{SINGLE}: 10 answers, found 9 of them on their topic"
    ]


def test_without_wrk_it_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(WrkMissingError, match="apt-get install wrk"):
        find_wrk(str(tmp_path))


def fake_wrk(folder: Path, script: str) -> str:
    """An executable that stands for wrk."""
    wrk = folder / "wrk"
    wrk.write_text(f"#!/bin/sh\n{script}\n")
    wrk.chmod(0o755)
    return find_wrk(str(folder))


def test_the_last_line_of_wrk_is_what_it_saw(tmp_path: Path) -> None:
    wrk = fake_wrk(tmp_path, f"echo 'Running 1s test'; echo '{load(7, refused=2).model_dump_json()}'")

    found = put_load(wrk, "http://127.0.0.1:9", tmp_path, "application/json", connections=1, seconds=1)

    assert (found.requests_per_s, found.failed) == (7.0, 2)


@pytest.mark.parametrize("script", ["echo unable to connect >&2; exit 1", "echo no JSON", ""])
def test_a_wrk_without_a_result_is_an_error_and_no_rate(tmp_path: Path, script: str) -> None:
    wrk = fake_wrk(tmp_path, script)

    with pytest.raises(WrkFailedError, match="expected a result of wrk"):
        put_load(wrk, "http://127.0.0.1:9", tmp_path, "application/json", connections=1, seconds=1)


def test_bodies_are_written_with_their_lengths_whatever_is_in_them(tmp_path: Path) -> None:
    file = write_bodies(tmp_path / "bodies", [b"{}", b"\n\x00\n"])

    assert file.read_bytes() == b"2\n{}3\n\n\x00\n"


def test_a_model_of_your_own_needs_rows(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_options(["--model-url", "http://127.0.0.1:3000"])
    assert "--rows together" in capsys.readouterr().err
