"""Ratios are of one round each, so that what else the machine does meets both sides."""

from __future__ import annotations

import pytest

from benchmarks.comparing import Comparison
from benchmarks.latencies import Latencies
from benchmarks.measuring import Measured
from benchmarks.options import (
    BARE_256,
    BARE_1024,
    BARE_CONTRACTS,
    GATEWAY,
    MLSERVER,
    MLSERVER_WORKER,
    NAIVE,
    PIPELINE,
)
from benchmarks.pacing import Paced
from benchmarks.tables import summary


def run(rate: float, missing: int = 0) -> Measured:
    return Measured("side", 100, rate, missing, 0, 0, None, 0.0)


def runs(*rates: float) -> list[Measured]:
    return [run(rate) for rate in rates]


def test_a_ratio_is_the_median_over_the_rounds_to_the_better_bare_side_of_each() -> None:
    compared = Comparison(
        {BARE_256: runs(10, 40, 10), BARE_1024: runs(20, 20, 20), GATEWAY: runs(10, 10, 18)}
    )

    assert compared.to_bare(GATEWAY) == 0.5  # of 10/20, 10/40 and 18/20


def test_without_a_side_there_is_no_ratio() -> None:
    compared = Comparison({GATEWAY: runs(10)})

    assert compared.to_bare(GATEWAY) is None
    assert compared.to_bare(PIPELINE) is None


def test_the_last_line_has_null_for_what_was_skipped_and_says_why() -> None:
    said = summary(Comparison({GATEWAY: runs(10)}), Latencies(), {MLSERVER: "no package index"})

    assert said["pipeline_to_mlserver"] is None
    assert said["mlserver_p95_ms_500"] is None
    assert said["skipped"] == {MLSERVER: "no package index"}


def test_beside_the_leanest_skeleton_stands_the_one_that_carries_the_same_events() -> None:
    said = summary(
        Comparison(
            {
                BARE_1024: runs(40),
                BARE_CONTRACTS: runs(20),
                GATEWAY: runs(15),
                PIPELINE: runs(10),
            }
        ),
        Latencies(),
        {},
    )

    assert (said["gateway_to_bare"], said["pipeline_to_bare"]) == (0.375, 0.25)
    assert (said["gateway_to_same_events"], said["pipeline_to_same_events"]) == (0.75, 0.5)


def test_what_mlserver_sustains_is_the_most_at_which_nothing_was_ever_missing() -> None:
    compared = Comparison(
        {PIPELINE: runs(10_000), MLSERVER: [run(5_000, missing=1)], MLSERVER_WORKER: [run(800)]}
    )

    assert summary(compared, Latencies(), {})["pipeline_to_mlserver"] == 12.5
    assert summary(compared, Latencies(mlserver_sustained=2_000.0), {})["pipeline_to_mlserver"] == 5


def test_missing_counts_ekiben_alone_in_every_run_and_at_every_pace() -> None:
    compared = Comparison(
        {GATEWAY: [run(1), run(1, missing=2)], PIPELINE: [run(1, missing=3)], NAIVE: [run(1, missing=50)]}
    )
    latencies = Latencies(
        pipeline=Paced("pipeline", 500, 100, 4, 1, 2, 3), mlserver=Paced("mlserver", 500, 100, 60, 1, 2, 3)
    )

    assert summary(compared, latencies, {})["missing"] == 9


@pytest.mark.parametrize(("missing", "expected"), [(0, 2.0), (1, None)])
def test_a_rate_that_left_something_out_is_none(missing: int, expected: float | None) -> None:
    assert Comparison({MLSERVER: [run(2.0, missing)]}).complete_rate(MLSERVER) == expected
