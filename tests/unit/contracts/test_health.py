"""What gateways report of endpoints, and several reports as one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekiben_contracts.health import BreakerState, EndpointHealthReported, summarize
from ekiben_contracts.latencies import added, bucket_of, quantile_ms, quantiles_ms, upper_bound_ms

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
WINDOW = timedelta(seconds=5)

latencies = st.lists(st.floats(min_value=0.011, max_value=3_000_000), min_size=1, max_size=200)


def buckets_of(latencies):
    return added({bucket_of(each): 1} for each in latencies)


def report(gateway="g1", number=0, breaker=BreakerState.CLOSED, **rest):
    start = START + number * WINDOW
    return EndpointHealthReported(
        **{"model": "delay", "version": "1", "url": "http://a", "requests": 100, **rest},
        gateway=gateway,
        window_start=start,
        window_end=start + WINDOW,
        breaker=breaker,
    )


@given(st.floats(min_value=0.011, max_value=3_000_000))
def test_a_latency_is_above_the_bucket_before_its_own_and_at_most_9_percent_below_the_end_of_its_own(ms):
    bucket = bucket_of(ms)
    assert upper_bound_ms(bucket - 1) * 0.999_999 < ms <= upper_bound_ms(bucket) * 1.000_001
    assert upper_bound_ms(bucket) < ms * 1.091


@given(latencies, st.sampled_from([0.5, 0.95, 0.99]))
def test_a_quantile_is_the_nearest_rank_and_at_most_9_percent_too_high(many, q):
    exact = sorted(many)[max(1, -(-len(many) * round(q * 100) // 100)) - 1]
    found = quantile_ms(buckets_of(many), q)
    assert found is not None
    assert exact * 0.999_999 <= found < exact * 1.091


@given(latencies, latencies)
def test_the_quantiles_of_counts_together_are_those_of_all_latencies(some, others):
    together = added([buckets_of(some), buckets_of(others)])
    assert quantiles_ms(together) == quantiles_ms(buckets_of(some + others))


def test_what_is_out_of_reach_counts_as_the_nearest_there_is():
    assert bucket_of(0.0) == bucket_of(0.01)
    assert bucket_of(1e12) == bucket_of(3_600_000)
    assert bucket_of(3_600_000) - bucket_of(0.01) < 229


def test_of_nothing_there_are_no_quantiles():
    assert quantiles_ms({}) == {}


def test_windows_and_gateways_add_up():
    found = summarize(
        [
            report("g1", 0, errors={"timeout": 3}, latency_buckets={8: 97}),
            report("g1", 1, errors={"timeout": 1, "internal": 1}, latency_buckets={8: 98}),
            report("g2", 0, latency_buckets={40: 100}),
        ]
    )
    assert (found.requests, found.errors, found.failed) == (300, {"timeout": 4, "internal": 1}, 5)
    assert found.latency_ms == quantiles_ms({8: 195, 40: 100})
    assert found.seen_at == START + 2 * WINDOW


def test_a_report_that_was_delivered_twice_counts_once():
    assert summarize([report(), report()]).requests == 100


@pytest.mark.parametrize(
    ("states", "worst"),
    [
        ([BreakerState.CLOSED, BreakerState.HALF_OPEN], BreakerState.HALF_OPEN),
        ([BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED], BreakerState.OPEN),
        ([BreakerState.CLOSED], BreakerState.CLOSED),
        ([], None),
    ],
)
def test_the_breaker_is_the_worst_of_the_gateways(states, worst):
    assert summarize(report(f"g{n}", breaker=state) for n, state in enumerate(states)).breaker == worst


def test_of_one_gateway_the_latest_state_counts_in_whatever_order_it_came():
    late, early = report("g1", 1, BreakerState.CLOSED), report("g1", 0, BreakerState.OPEN)
    assert summarize([late, early]).breaker == BreakerState.CLOSED


def test_the_id_is_that_of_gateway_endpoint_and_window():
    ids = {
        report().id,
        report("g2").id,
        report(number=1).id,
        report(url="http://b").id,
        report(version="2").id,
        report(model="weather").id,
    }
    assert len(ids) == 6
    assert report().id == report(requests=7).id
    assert len(report("g" * 128, model="m" * 128, version="v" * 64, url="http://" + "u" * 2000).id) <= 512
