from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from ekiben_contracts.models import Calibration, Role
from ekiben_deployer.routes import (
    ALL_TRAFFIC,
    Endpoint,
    champion,
    define,
    direct,
    previous,
    relocate,
    restore,
    says_the_same,
    shadow,
    withdraw,
)
from unit.deployer.building import NOW, combine, route, routed_version, shadow_version, trained

WEEK = timedelta(days=7)
HERE = Endpoint("delay:2-fake", "http://127.0.0.1:20002")


def deployed(current, version, now=NOW):
    return direct(current, trained(version=version), HERE, now, WEEK)


def test_the_first_route_of_a_model_is_revision_one_with_all_that_serving_needs():
    calibration = Calibration(id="c1", quantiles={"0.9": 0.4})
    model = trained(version="2", calibration=calibration, feature_service="flights")

    routed = direct(None, model, HERE, NOW, WEEK)

    (only,) = routed.versions
    assert (routed.revision, routed.classes, routed.feature_service) == (1, ["on_time", "late"], "flights")
    assert (only.weight, only.role, only.url, only.bento) == (
        ALL_TRAFFIC,
        Role.CHAMPION,
        HERE.url,
        HERE.bento,
    )
    assert (only.signature, only.calibration) == (model.signature, calibration)


def test_the_version_before_stays_at_weight_zero_and_says_since_when():
    routed = deployed(route(revision=4), "2")

    assert routed.revision == 5
    assert champion(routed).version == "2"
    old = previous(routed)
    assert (old.version, old.weight, old.role, old.retired_at) == ("1", 0, Role.RETIRED, NOW)


def test_a_retired_version_leaves_once_no_output_names_it_any_more():
    lapsed = routed_version("0", weight=0, retired_at=NOW - WEEK)
    fresh = routed_version("1", weight=0, retired_at=NOW - WEEK + timedelta(seconds=1))

    routed = deployed(route("delay", routed_version("2"), fresh, lapsed), "3")

    assert [v.version for v in routed.versions] == ["3", "2", "1"]


def test_the_latest_retired_version_stays_however_old_for_a_rollback():
    current = route("delay", routed_version("1"), routed_at=NOW - 10 * WEEK)

    routed = deployed(withdraw(current, "1", NOW - 9 * WEEK), "2")

    assert [v.version for v in routed.versions] == ["2", "1"]


def test_a_version_that_comes_back_is_there_once():
    routed = deployed(deployed(deployed(None, "1"), "2"), "1")

    assert [v.version for v in routed.versions] == ["1", "2"]
    assert champion(routed).retired_at is None


def test_a_shadow_is_one_version_more_and_all_else_stays():
    current = route("delay", routed_version("1"), routed_version("0", weight=0, retired_at=NOW))

    routed = shadow(current, trained(version="2"), HERE, NOW)

    assert (routed.revision, routed.versions[:2]) == (2, current.versions)
    added = routed.versions[2]
    assert (added.version, added.weight, added.role, added.url) == ("2", 0, Role.SHADOW, HERE.url)


def test_a_version_that_was_retired_shadows_once():
    current = route("delay", routed_version("1"), routed_version("2", weight=0, retired_at=NOW))

    assert [v.role for v in shadow(current, trained(version="2"), HERE, NOW).versions] == [
        Role.CHAMPION,
        Role.SHADOW,
    ]


def test_shadows_stay_when_another_version_takes_over_or_comes_back():
    current = route("delay", routed_version("1"), shadow_version("3"))

    taken_over = deployed(current, "2")
    back = restore(taken_over, "1", NOW)

    for routed in (taken_over, back):
        assert [v.version for v in routed.versions if v.role is Role.SHADOW] == ["3"]


def test_a_shadow_that_is_deployed_serves_and_shadows_no_more():
    routed = deployed(route("delay", routed_version("1"), shadow_version("2")), "2")

    assert [(v.version, v.role) for v in routed.versions] == [("2", Role.CHAMPION), ("1", Role.RETIRED)]


def test_a_shadow_that_is_withdrawn_is_nothing_to_go_back_to():
    served = deployed(deployed(None, "1"), "2", NOW + WEEK / 7)
    beside = shadow(served, trained(version="3"), HERE, NOW + WEEK / 7)

    routed = withdraw(beside, "3", NOW + WEEK / 7 * 2)

    assert [(v.version, v.role) for v in routed.versions] == [("2", Role.CHAMPION), ("1", Role.RETIRED)]
    assert previous(routed).version == "1"


def test_what_served_before_it_shadowed_can_still_be_gone_back_to():
    served = deployed(deployed(None, "1"), "2")

    beside = shadow(served, trained(version="1"), HERE, NOW + WEEK / 7)
    routed = withdraw(beside, "1", NOW + WEEK / 7)

    assert (previous(beside).version, previous(beside).role) == ("1", Role.SHADOW)
    assert (previous(routed).version, previous(routed).retired_at) == ("1", NOW)


def test_a_withdrawn_version_gets_no_traffic():
    routed = withdraw(route(), "1", NOW)

    assert champion(routed) is None
    assert routed.revision == 2


def test_what_is_restored_gets_all_traffic_and_what_failed_none():
    routed = restore(deployed(route(), "2"), "1", NOW)

    assert (champion(routed).version, champion(routed).retired_at) == ("1", None)
    assert previous(routed).version == "2"


def test_relocating_changes_one_url_and_nothing_else():
    current = deployed(route(), "2")

    routed = relocate(current, "2", "http://127.0.0.1:20009", NOW)

    assert champion(routed).url == "http://127.0.0.1:20009"
    assert previous(routed) == previous(current)


def test_a_definition_is_the_same_whenever_it_is_made():
    first = define(None, combine(), NOW)

    again = define(first, combine(), NOW + WEEK)

    assert (first.revision, again.revision) == (1, 2)
    assert says_the_same(first, again)
    assert not says_the_same(first, define(first, combine(coverage=0.9), NOW))
    assert not says_the_same(None, first)


@given(versions=st.lists(st.sampled_from("123456"), min_size=1, max_size=12), hours=st.integers(0, 100))
def test_whatever_is_deployed_one_version_has_all_the_traffic_and_revisions_grow(versions, hours):
    current = None
    for n, version in enumerate(versions):
        following = deployed(current, version, NOW + n * timedelta(hours=hours))
        assert following.revision == (current.revision + 1 if current else 1)
        current = following

    assert [v.version for v in current.versions if v.weight] == [versions[-1]]
    assert sum(v.weight for v in current.versions) == ALL_TRAFFIC
    assert len({v.version for v in current.versions}) == len(current.versions)
    before = [version for version in versions if version != versions[-1]]
    assert (previous(current).version if before else None) == (before[-1] if before else None)


def test_the_feature_service_of_a_deployment_wins_and_stays_with_the_next():
    first = direct(None, trained(feature_service="as-trained"), HERE, NOW, WEEK, "flights")
    second = direct(first, trained(version="2"), HERE, NOW, WEEK)
    third = direct(second, trained(version="3", feature_service="as-trained"), HERE, NOW, WEEK)
    named = [routed.feature_service for routed in (first, second, third)]
    assert named == ["flights", "flights", "as-trained"]
