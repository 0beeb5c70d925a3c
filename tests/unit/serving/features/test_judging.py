"""Whether what a store gave may be used: only these words keep a view's TTL."""

from __future__ import annotations

import pytest

from ekiben_serving.features.judging import Why, judge
from ekiben_serving.features.store import View

NOW = 1_000_000.0
WEATHER = View("weather", ("airport",), ("wind",), ttl_s=60.0)
PLANES = View("planes", ("tail", "year"), ("seats",))


@pytest.mark.parametrize("age_s", [-5.0, 0.0, 60.0])
def test_a_value_within_its_ttl_is_used(age_s):
    assert judge(WEATHER, {"airport": "EWR"}, {}, NOW - age_s, NOW) is None


def test_a_value_beyond_its_ttl_is_stale_and_the_words_say_how_old():
    lack = judge(WEATHER, {"airport": "EWR"}, {}, NOW - 61.0, NOW)
    assert lack is not None
    assert lack.why is Why.STALE
    assert lack.detail == "what weather has of airport 'EWR' is 61 s old, and may be 60 s"


def test_a_view_without_a_ttl_never_goes_stale():
    assert judge(PLANES, {"tail": "N1", "year": 2013}, {}, 0.0, NOW) is None


def test_what_was_never_seen_is_named_by_all_of_its_keys():
    lack = judge(PLANES, {"tail": "N1", "year": 2013}, {}, None, NOW)
    assert lack is not None
    assert (lack.why, lack.detail) == (Why.UNSEEN, "planes has never seen tail 'N1', year '2013'")


def test_a_key_that_nobody_tells_is_named_whatever_the_store_gave():
    lack = judge(PLANES, {"tail": None, "year": 2013}, {"tail": "nobody tells tail"}, NOW, NOW)
    assert lack is not None
    assert lack.why is Why.UNKEYED
    assert lack.detail == "nobody tells tail"


def test_a_long_key_is_cut_in_words():
    lack = judge(WEATHER, {"airport": "E" * 10_000}, {}, None, NOW)
    assert lack is not None
    assert len(lack.detail) < 200
