"""A few seeds with every run of the quick tests; `make faults` runs thousands."""

from __future__ import annotations

import pytest

from simulation.ledger import listed
from simulation.run import run

KEPT = {
    2: "slow requests and bugs: a batch that took too long was read again whole, for ever",
    25: "an answer overtook a record whose move to a retry topic failed, and which was then answered",
    1258: "a clock was set back: a retry that was not due was committed past, and lost by a crash",
}


@pytest.mark.parametrize("seed", range(40))
def test_every_promise_is_kept(seed: int):
    outcome = run(seed)
    assert outcome.records > 0
    assert not outcome.violations, listed(outcome.violations)


@pytest.mark.parametrize("seed", KEPT)
def test_what_failed_once_does_not_fail_again(seed: int):
    outcome = run(seed)
    assert not outcome.violations, f"{KEPT[seed]}{listed(outcome.violations)}"
