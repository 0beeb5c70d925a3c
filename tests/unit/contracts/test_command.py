"""`python -m ekiben_contracts`, as a user calls it: output, files and exit codes."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ekiben_contracts.checked_in import HERE

OUTCOME = "ekiben.prediction.outcome-observed.v1"


def run(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "ekiben_contracts", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=120)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("schemas", "examples"):
        shutil.copytree(HERE / name, tmp_path / name)
    for name in ("asyncapi.json", "frozen.json"):
        shutil.copy(HERE / name, tmp_path / name)
    return tmp_path


def test_check_passes_on_what_is_checked_in():
    done = run("check")

    assert (done.returncode, done.stderr) == (0, b"")
    assert b"on 12 topics: all agree" in done.stdout


def test_check_fails_and_tells_people_what_to_do(folder: Path):
    (folder / "examples" / f"{OUTCOME}.json").unlink()

    done = run("check", "--folder", folder)

    assert done.returncode == 1
    told = done.stderr.decode()
    assert f"examples/{OUTCOME}.json: expected an example, found no file\n    Write one" in told


def test_check_tells_machines_too(folder: Path):
    (folder / "asyncapi.json").write_text("{}")

    done = run("check", "--folder", folder, "--json")

    told = json.loads(done.stdout)
    assert (done.returncode, told["ok"]) == (1, False)
    assert [problem["where"] for problem in told["problems"]] == ["asyncapi.json"]
    assert told["problems"][0].keys() == {"where", "broke", "fix"}


def test_generate_mends_what_is_stale(folder: Path):
    (folder / "schemas" / f"{OUTCOME}.json").unlink()

    done = run("generate", "--folder", folder, "--json")

    assert done.returncode == 0
    assert json.loads(done.stdout) == {"written": [f"schemas/{OUTCOME}.json"], "deleted": [], "refused": []}
    assert run("check", "--folder", folder).returncode == 0


def test_generate_says_when_there_is_nothing_to_do(folder: Path):
    assert run("generate", "--folder", folder).stdout == b"nothing to do\n"


def test_freeze_and_then_a_broken_promise(folder: Path):
    assert run("freeze", "--all", "--folder", folder).stdout == b"wrote frozen.json\n"
    frozen = json.loads((folder / "frozen.json").read_text())
    frozen[OUTCOME]["properties"]["model"]["maxLength"] = 64
    (folder / "frozen.json").write_text(json.dumps(frozen))

    for command in ("check", "generate"):
        done = run(command, "--folder", folder)
        assert done.returncode == 1
        assert (
            f"{OUTCOME} is frozen and would accept something else\n"
            "      model: maxLength: was 64, is 128 (breaks readers)\n"
            "    Undo it, whomever it breaks"
        ) in done.stderr.decode()


def test_read_tells_what_is_made_of_a_record():
    request = b'{"model": "m", "entity_id": "e"}\n'

    done = run("read", "ekiben.prediction-requests", "--header", "ce_id=7", stdin=request)

    told = json.loads(done.stdout)
    assert done.returncode == 0
    assert (told["type"], told["id"], told["key"]) == ("ekiben.prediction.requested.v1", "7", "e")


def test_read_tells_why_a_record_is_refused(tmp_path: Path):
    (tmp_path / "record").write_bytes(b"hello")

    done = run("read", "ekiben.prediction-requests", tmp_path / "record")

    told = json.loads(done.stdout)
    assert (done.returncode, told["error"], told["reason"]) == (1, "UnreadableError", "undecodable")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("freeze",),
        ("read", "no-topic"),
        ("check", "--folder", "/no/folder"),
        ("check", "--page", "/no/page"),
    ],
)
def test_a_command_that_is_not_understood_exits_with_2(arguments: tuple[str, ...]):
    done = run(*arguments)

    assert done.returncode == 2
    assert done.stderr.startswith(b"usage: python -m ekiben_contracts")


def test_help_has_an_example():
    assert b"python -m ekiben_contracts check" in run("--help").stdout
