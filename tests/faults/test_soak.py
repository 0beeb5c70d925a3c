"""The ledger soak: nothing is lost, duplicated or out of order, whoever is killed, stopped or restarted."""

from __future__ import annotations

import os
import secrets

import pytest
from rich.console import Console

from faults.soak.plan import KINDS
from faults.soak.report import as_tables
from faults.soak.soaking import Soak, soak


@pytest.mark.timeout(3600)
def test_soak(attack, tmp_path):
    seed = int(os.environ.get("EKIBEN_SOAK_SEED") or secrets.randbelow(1_000_000))
    asked = Soak(200_000, 50, seed) if attack.full else Soak(20_000, 20, seed)
    print(f"seed {seed}: to see it again, EKIBEN_SOAK_SEED={seed}")
    report = soak(asked, tmp_path, print)
    Console(width=110).print(as_tables(report))
    found = report.audit
    attack.report(
        records=found.requests,
        faults=len(report.recoveries),
        lost=len(found.lost),
        duplicated=len(found.duplicated),
        out_of_order=len(found.out_of_order),
        recovered_s=report.recovered_s,
    )
    assert found.wrongs == {}
    assert found.failed == 0, "every request was a good one"
    assert found.requests == asked.requests
    assert found.ordered > asked.requests / 2, "order was judged on too few"
    assert {recovery.fault.kind for recovery in report.recoveries} == set(KINDS)
    assert report.idle <= len(report.recoveries) // 10, "the faults have to meet requests on their way"
