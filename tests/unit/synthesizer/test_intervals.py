"""Which intervals are given, and that they hold what they say."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekiben_contracts.models import Calibration
from ekiben_synthesizer.intervals import UNIT, around, half_width
from unit.synthesizer.building import QUANTILES


def calibration(quantiles=QUANTILES):
    return Calibration(id="minutes-1", quantiles=quantiles)


def test_one_model_has_the_quantile_of_the_coverage_asked_for():
    assert half_width([calibration()], [1.0], 0.9) == (15.0, 0.9)


def test_a_coverage_between_two_levels_takes_the_wider_and_says_so():
    assert half_width([calibration()], [1.0], 0.92) == (20.0, 0.95)


def test_a_coverage_beyond_every_level_takes_the_widest_and_says_so():
    assert half_width([calibration()], [1.0], 0.999) == (40.0, 0.99)


def test_two_models_need_a_higher_level_each_for_the_same_coverage():
    assert half_width([calibration(), calibration()], [0.5, 0.5], 0.9) == (20.0, 0.9)


def test_the_widths_of_several_models_are_weighted_like_their_values():
    wider = calibration({level: 2 * quantile for level, quantile in QUANTILES.items()})
    half, _ = half_width([calibration(), wider], [0.75, 0.25], 0.9)
    assert half == pytest.approx(0.75 * 20 + 0.25 * 40)


@pytest.mark.parametrize(
    "members",
    [
        [None],
        [calibration(), None],
        [calibration({"0.8": 1.0}), calibration({"0.9": 1.0})],
        [calibration({})],
        [calibration({"0.5": 1.0}), calibration({"0.5": 1.0})],
    ],
)
def test_without_a_calibration_that_guarantees_anything_there_is_no_interval(members):
    assert half_width(members, [1 / len(members)] * len(members), 0.9) is None


levels = st.dictionaries(
    st.sampled_from(["0.5", "0.8", "0.9", "0.95", "0.99"]), st.floats(0, 1e6), min_size=1
).map(calibration)


@given(st.lists(levels, min_size=1, max_size=4), st.floats(0.05, 0.99))
def test_what_is_promised_is_a_coverage_and_the_most_that_was_asked_if_there_is_a_level(members, coverage):
    found = half_width(members, [1 / len(members)] * len(members), coverage)
    if found is None:
        return
    half, promised = found
    assert half >= 0
    assert 0 < promised < 1
    common = set.intersection(*(set(member.quantiles) for member in members))
    best = max(1 - len(members) * (1 - float(level)) for level in common)
    assert promised >= min(coverage, best) - 1e-6


def test_an_interval_of_a_probability_stays_within_zero_and_one():
    found = around(0.9, 0.3, 0.9, UNIT)
    assert (found.low, found.high) == (pytest.approx(0.6), 1.0)


def test_two_dependent_models_hold_their_joint_coverage_on_data_they_have_not_seen():
    draw = random.Random(7)

    def errors(rows):
        """Residuals of two models that err together half of the time."""
        shared = [draw.gauss(0, 5) for _ in range(rows)]
        return [(both + draw.gauss(0, 5), both + draw.expovariate(0.1) - 10) for both in shared]

    def quantile(residuals, level):
        ranked = sorted(map(abs, residuals))
        return ranked[min(len(ranked) - 1, int((len(ranked) + 1) * level))]

    seen = errors(4000)
    members = [
        calibration({level: quantile([pair[of] for pair in seen], float(level)) for level in QUANTILES})
        for of in (0, 1)
    ]
    half, promised = half_width(members, [0.5, 0.5], 0.9)
    unseen = errors(4000)
    held = sum(abs((one + other) / 2) <= half for one, other in unseen) / len(unseen)
    assert held >= promised - 0.02
