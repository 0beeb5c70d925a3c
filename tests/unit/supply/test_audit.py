"""The audit, by the real pip-audit: what is known fails it, and a source that is away is no clean bill."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.supply.auditing import Report, Source, run, verdict
from scripts.supply.bundles import LOCKS, ROOT
from unit.supply.advisories import CANARY, advisory, source

PLANTED = {("requests", "2.19.0"): advisory("requests", "GHSA-x84v-xcm2-53pg", "2.20.0")}
CLEAN = LOCKS / "build.lock"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A lock with an old package, planted."""
    lock = tmp_path / "old.lock"
    lock.write_text(f"requests==2.19.0 --hash=sha256:{'0' * 64}\n", "utf-8")
    return lock


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address where nothing answers."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}/v1/query"


def audit(lock: Path, url: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "scripts.supply",
        "audit",
        "--lock",
        str(lock),
        "--osv-url",
        url,
        *options,
    ]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False)


def test_a_known_vulnerability_fails_and_names_package_version_advisory_and_mend(old: Path) -> None:
    with source({**CANARY, **PLANTED}) as url:
        told = audit(old, url)
        accepted = audit(old, url, "--accept", "GHSA-x84v-xcm2-53pg")
    assert told.returncode == 1, told.stderr
    assert "requests 2.19.0: GHSA-x84v-xcm2-53pg; fixed in 2.20.0" in told.stdout
    assert accepted.returncode == 0, accepted.stdout


def test_a_lock_that_nothing_is_known_against_passes_and_says_how_much_was_asked() -> None:
    with source({**CANARY, **PLANTED}) as url:
        told = audit(CLEAN, url, "--strict")
    assert told.returncode == 0, told.stdout
    assert " packages audited on " in told.stdout
    assert ", 0 advisories" in told.stdout


def test_where_no_source_answers_it_is_skipped_in_words_and_strict_fails(old: Path, nobody: str) -> None:
    told, strict = audit(old, nobody), audit(old, nobody, "--strict")
    assert (told.returncode, strict.returncode) == (0, 3)
    for each in (told, strict):
        assert each.stdout.startswith("skipped: no advisory source answered on 2")
        assert "run `make audit` on a machine with network" in each.stdout


def test_a_source_that_knows_nothing_of_a_famous_vulnerability_is_not_believed(old: Path) -> None:
    with source(PLANTED) as url:
        told = audit(old, url, "--strict")
    assert told.returncode == 3
    assert "skipped" in told.stdout


def test_what_the_source_was_not_asked_about_is_named_and_strict_fails() -> None:
    report = Report(audited=9, findings=(), left_out=("own-package",))
    assert verdict(report, strict=True, today="2026-01-01")[0] == 3
    code, lines = verdict(report, strict=False, today="2026-01-01")
    assert code == 0
    assert "own-package" in lines[0]


OLD = f"requests==2.19.0 --hash=sha256:{'0' * 64}\n"


@pytest.mark.parametrize(
    ("lock", "said"),
    [
        (None, "No such file"),
        ("requests==2.19.0\n", "expected NAME==VERSION and --hash=sha256"),
        (OLD.replace("2.19.0", "newest"), "expected NAME==VERSION and --hash=sha256"),
        ("# nothing\n", "expected packages to audit"),
        (OLD, "KeyError"),  # pip-audit's own words
    ],
)
def test_what_cannot_be_audited_is_an_error_and_never_a_source_that_is_away(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lock: str | None, said: str
) -> None:
    file = tmp_path / "broken.lock"
    if lock is not None:
        file.write_text(lock, "utf-8")
    with source({**CANARY, ("requests", "2.19.0"): {"summary": "an advisory without an id"}}) as url:
        assert run(file, Source(url), strict=False, accepted=()) == 3
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("not audited: ")
    assert said in told.err
