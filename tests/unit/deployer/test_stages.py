from __future__ import annotations

import pytest

from ekiben_contracts.deployment import Strategy
from ekiben_deployer.stages import PATHS, STRICT, TRANSITIONS, Stage, skipped


def test_a_strict_environment_allows_no_way_past_shadow():
    assert (
        skipped(Strategy.DIRECT, STRICT)
        == "direct goes from Staging to Production, and production skips no stage"
    )


@pytest.mark.parametrize("environment", ["local", "staging", "Production"])
def test_elsewhere_direct_may_skip_it(environment):
    assert skipped(Strategy.DIRECT, environment) is None


def test_production_is_entered_from_shadow_or_by_a_rollback():
    assert {stage for stage, after in TRANSITIONS.items() if Stage.PRODUCTION in after} == {
        Stage.SHADOW,
        Stage.ARCHIVED,
    }


def test_every_path_begins_at_none_and_ends_in_production_or_as_a_shadow():
    assert {strategy: (path[0], path[-1]) for strategy, path in PATHS.items()} == {
        Strategy.DIRECT: (Stage.NONE, Stage.PRODUCTION),
        Strategy.SHADOW: (Stage.NONE, Stage.SHADOW),
    }


def test_a_shadow_skips_no_stage_in_any_environment():
    assert skipped(Strategy.SHADOW, "production") is None
