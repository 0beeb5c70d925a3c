"""Dead letters of a running system come back: the commands of the runbook, as they stand there."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from e2e.system import EKIBEN
from e2e.waiting import until

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = (ROOT / "docs" / "operations.md").read_text()
MEND = '[{"op": "replace", "path": "/model", "value": "tiny-keen"}]'


def commands(section):
    """Each command line of a section of the runbook."""
    text = RUNBOOK.partition(f"## {section}\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


RUNBOOK_COMMANDS = [
    line for section in ("Dead letters come back", "What waits", "After a gap") for line in commands(section)
]


def test_the_runbook_has_commands():
    named = {tuple(line.split()[1:3]) for line in RUNBOOK_COMMANDS}
    assert named == {
        ("dlq", "list"),
        ("dlq", "show"),
        ("dlq", "replay"),
        ("dlq", "discard"),
        ("dlq", "trim"),
        ("parked", "list"),
        ("offsets", "list"),
        ("offsets", "skip"),
    }


@pytest.fixture
def dead(system, plain, fresh):
    """The id of a dead letter: somebody asked for a model that there is not."""
    request = {"request_id": fresh, "model": "tiny-kene", "entity_id": "e", "features": {"x": 2.0, "y": 0.0}}
    plain.dead_letter(*plain.send(request, key="e"))
    return plain.result(fresh)["dead_letter"]


@pytest.mark.every_rung
def test_a_typo_is_mended_on_the_way_and_answered_as_the_second_attempt(system, plain, fresh, dead):
    listed = system.json("dlq", "list", "--reason", "unknown-model", "--key", "e", "--since", "1h")
    assert listed["total"] >= 1
    replayed = system.json("dlq", "replay", dead, "--patch", MEND, "--by", "ann", "--why", "a typo")
    assert (replayed["replayed"], replayed["ids"]) == (1, [dead])
    found = plain.answers(fresh, 2)
    assert {name: answer["status"] for name, answer in found.items()} == {
        f"{fresh}/result/1": "failed",
        f"{fresh}/result/2": "completed",
    }
    assert found[f"{fresh}/result/2"]["attempt"] == 2
    shown = system.json("dlq", "show", dead)
    assert shown["settled"] is True
    (action,) = shown["history"]["actions"]
    assert (action["action"], action["by"], action["why"], action["patch"]) == (
        "replayed",
        "ann",
        "a typo",
        [{**operation, "value": "[redacted]"} for operation in json.loads(MEND)],
    )
    revealed = system.json("dlq", "show", dead, "--reveal", "--why", "what was mended?", "--by", "eve")
    mended, look = revealed["history"]["actions"]
    assert mended["patch"] == json.loads(MEND)
    assert (look["action"], look["by"], look["why"]) == ("revealed", "eve", "what was mended?")
    assert system.json("dlq", "show", dead)["history"]["actions"][1]["by"] == "eve"
    assert dead not in system.ekiben("dlq", "list", "--ids").stdout
    again = system.json("dlq", "replay", dead, "--patch", MEND)
    assert (again["replayed"], again["seen_to_before"]) == (0, 1)


@pytest.mark.every_rung
def test_without_a_mend_it_comes_back_and_says_so(system, plain, fresh, dead):
    assert system.json("dlq", "replay", dead)["replayed"] == 1
    assert set(plain.answers(fresh, 2)) == {f"{fresh}/result/1", f"{fresh}/result/2"}
    back = f"{dead.removesuffix('/1')}/2"
    until(lambda: back in system.ekiben("dlq", "list", "--ids").stdout, "it to be dead again")
    assert "returned 1 times" in system.ekiben("dlq", "list", "--ids").stdout
    discarded = system.ekiben("dlq", "discard", back, "--why", "nobody waits")
    assert discarded.stdout == "1 discarded\n"
    shown = system.ekiben("dlq", "show", back).stdout
    assert "discarded by" in shown
    assert "attempt 1 died" in shown


def test_a_patch_that_does_not_apply_leaves_the_record_out_and_the_exit_code_says_so(system, dead):
    patch = '[{"op": "remove", "path": "/no/such/field"}]'
    ended = system.ekiben("dlq", "replay", dead, "--patch", patch)
    assert ended.returncode == 6
    assert f"left out  {dead}  operation 1, remove of /no/such/field, does not apply" in ended.stderr
    assert dead in system.ekiben("dlq", "list", "--ids").stdout


def test_an_id_that_is_not_there_is_not_found(system):
    ended = system.ekiben("dlq", "replay", "ekiben.prediction-requests/inference-gateway/0/999999/1")
    assert ended.returncode == 7
    assert "there is no dead letter" in ended.stderr


@pytest.mark.parametrize("line", RUNBOOK_COMMANDS)
def test_every_command_of_the_runbook_runs(system, dead, line):
    ended = subprocess.run(
        ["sh", "-c", line.replace(".venv/bin/ekiben", str(EKIBEN))],
        env={**system.environment, "ID": dead},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False), ended
    assert ended.stdout


def test_what_was_seen_to_leaves_for_good_and_what_was_not_stays(system, plain, fresh, dead):
    system.ekiben("dlq", "discard", "--all", "--why", "an erasure request")
    request = {"request_id": f"{fresh}-open", "model": "tiny-kene", "entity_id": "e"}
    plain.dead_letter(*plain.send(request, key="e"))
    still_open = plain.result(f"{fresh}-open")["dead_letter"]

    planned = system.json("dlq", "trim", "--dry-run")
    assert planned["deleted"] == 0
    assert system.ekiben("dlq", "show", dead).returncode == 0
    assert system.ekiben("dlq", "trim").returncode == 4, "nobody was there to agree"

    trimmed = system.json("dlq", "trim", "--yes")
    assert trimmed["deleted"] == sum(each["removed"] for each in planned["partitions"]) > 0
    assert still_open in {each["stops_at"] for each in trimmed["partitions"]}
    assert system.ekiben("dlq", "show", dead).returncode == 7
    assert system.ekiben("dlq", "show", still_open).returncode == 0
    assert system.json("dlq", "trim", "--yes")["deleted"] == 0
