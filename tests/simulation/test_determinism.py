"""A seed decides everything: the same seed gives the same trace, in this process and in any other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulation.plan import plan
from simulation.run import run

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize("seed", [1, 9, 11, 19, 30])
def test_a_seed_replays_exactly(seed: int):
    first, second = run(seed), run(seed)
    assert first.digest == second.digest
    assert first.records == second.records > 0


def test_a_seed_replays_exactly_where_hashes_differ():
    digests = {
        subprocess.run(
            [
                sys.executable,
                "-c",
                "from simulation.run import run; print(*(run(s).digest for s in (2, 16)))",
            ],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": _path()},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(digests) == 1
    assert len(digests.pop().split()) == 2


def _path() -> str:
    return os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])


def test_seeds_differ():
    assert len({run(seed).digest for seed in range(5)}) == 5
    assert len({repr(plan(seed)) for seed in range(5)}) == 5
