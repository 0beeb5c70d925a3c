"""The bus on a simulated broker, on virtual time: each seed another order of events, and other faults."""

from __future__ import annotations

from simulation.ledger import listed
from simulation.sweep import Sweep, sweep

_LOST = {"every request is answered", "nothing is lost at a crash", "progress is committed"}


def test_simulation(attack):
    seeds = 20_000 if attack.full else 2_000
    swept = Sweep()
    for outcome in sweep(range(seeds)):
        swept.add(outcome)
    broken = [violation for outcome in swept.failed for violation in outcome.violations]
    attack.report(
        records=swept.records,
        faults=swept.faults,
        lost=sum(violation.invariant in _LOST for violation in broken),
        duplicated=sum(violation.invariant == "one terminal event for each attempt" for violation in broken),
        out_of_order=sum(violation.invariant == "order by partition and model" for violation in broken),
        recovered_s=swept.recovered_s,
    )
    assert swept.runs == seeds
    assert swept.faults > seeds
    assert not swept.failed, "".join(
        f"\nseed {outcome.seed} (make simulate SEED={outcome.seed} TRACE=1): {listed(outcome.violations)}"
        for outcome in swept.failed[:10]
    )
