"""What the gateway tells of the endpoints it asks: when, and about which window."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from ekiben_contracts.health import BreakerState
from ekiben_contracts.latencies import bucket_of, quantiles_ms
from ekiben_inference_gateway.endpoint_health.metrics import EndpointMetrics
from ekiben_inference_gateway.endpoint_health.watches import Watches
from ekiben_inference_gateway.endpoint_health.windows import Tally, Window, window_of
from ekiben_serving.watching import ANSWERED, NO_ROW_ERRORS

LENGTH = timedelta(seconds=5)
HEARTBEAT = timedelta(seconds=20)
FIRST = window_of(datetime(2026, 3, 1, 12, 0, 3, tzinfo=UTC), LENGTH)
OF = {"model": "delay", "version": "1", "endpoint": "http://a"}


def window(number: int) -> Window:
    return Window(FIRST.start + number * LENGTH, FIRST.end + number * LENGTH)


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def watches(registry):
    return Watches("g1", HEARTBEAT, EndpointMetrics(registry))


@given(st.datetimes(timezones=st.just(UTC)), st.integers(50, 3_600_000))
def test_a_window_holds_its_time_and_starts_at_a_multiple_of_its_length(at, milliseconds):
    length = timedelta(milliseconds=milliseconds)
    found = window_of(at, length)
    assert found.start <= at < found.end == found.start + length
    assert (found.start - datetime(1970, 1, 1, tzinfo=UTC)) % length == timedelta(0)
    assert window_of(found.end, length).start == found.end


def test_a_tally_counts_requests_and_not_calls():
    tally = Tally()
    tally.add(256, 0.020, ANSWERED, {"internal": 6})
    tally.add(100, 1.0, "timeout", NO_ROW_ERRORS)
    tally.add(4, 0.001, ANSWERED, {"missing_features": 4})
    assert tally.requests == 360
    assert tally.errors == {"internal": 6, "timeout": 100, "missing_features": 4}
    assert tally.latencies == {bucket_of(20): 250}


def test_a_report_says_what_was_seen_since_the_one_before(watches):
    watch = watches.open("delay", "1", "http://a")
    watch.called(100, 0.02, ANSWERED, NO_ROW_ERRORS)
    watch.called(50, 1.0, "timeout", NO_ROW_ERRORS)
    (first,) = watches.report(window(0))
    assert (first.gateway, first.model, first.version, first.url) == ("g1", "delay", "1", "http://a")
    assert (first.window_start, first.window_end) == window(0)
    assert (first.requests, first.errors) == (150, {"timeout": 50})
    assert first.latency_ms == quantiles_ms({bucket_of(20): 100})
    watch.called(1, 0.01, ANSWERED, NO_ROW_ERRORS)
    (second,) = watches.report(window(1))
    assert (second.requests, second.errors) == (1, {})
    assert second.id != first.id


def test_without_traffic_only_turns_and_heartbeats_are_reported(watches):
    watch = watches.open("delay", "1", "http://a")
    turns = {3: BreakerState.OPEN, 9: BreakerState.HALF_OPEN}
    reported = []
    for number in range(16):
        if number in turns:
            watch.breaker_turned(turns[number])
        reported += [(number, report.breaker, report.requests) for report in watches.report(window(number))]
    assert reported == [
        (0, "closed", 0),  # that it is there
        (3, "open", 0),
        (7, "open", 0),
        (9, "half-open", 0),
        (13, "half-open", 0),
    ]


def test_a_breaker_that_turns_and_turns_back_within_a_window_is_seen_by_its_errors(watches):
    watch = watches.open("delay", "1", "http://a")
    list(watches.report(window(0)))
    watch.called(1, 0.1, "unavailable", NO_ROW_ERRORS)
    watch.breaker_turned(BreakerState.OPEN)
    watch.breaker_turned(BreakerState.CLOSED)
    (report,) = watches.report(window(1))
    assert (report.breaker, report.errors) == ("closed", {"unavailable": 1})


def test_what_was_seen_before_a_client_closed_is_reported_and_then_no_more(watches):
    watch = watches.open("delay", "1", "http://a")
    watch.called(7, 0.02, ANSWERED, NO_ROW_ERRORS)
    watch.closed()
    assert [report.requests for report in watches.report(window(0))] == [7]
    assert [list(watches.report(window(number))) for number in range(1, 20)] == [[]] * 19


def test_an_endpoint_that_is_opened_anew_before_the_old_client_is_closed_is_one(watches, registry):
    old = watches.open("delay", "1", "http://a")
    new = watches.open("delay", "1", "http://a")
    old.called(3, 0.02, ANSWERED, NO_ROW_ERRORS)
    new.called(4, 0.02, ANSWERED, NO_ROW_ERRORS)
    old.closed()
    assert [report.requests for report in watches.report(window(0))] == [7]
    assert registry.get_sample_value("ekiben_endpoint_breaker", {**OF, "state": "closed"}) == 1


def test_metrics_count_calls_and_requests_by_their_end(watches, registry):
    watch = watches.open("delay", "1", "http://a")
    watch.called(10, 0.02, ANSWERED, {"internal": 2})
    watch.called(5, 0.3, "timeout", NO_ROW_ERRORS)

    def count(name, **labels):
        return registry.get_sample_value(name, {**OF, **labels})

    assert count("ekiben_endpoint_calls_total", outcome="answered") == 1
    assert count("ekiben_endpoint_calls_total", outcome="timeout") == 1
    assert count("ekiben_endpoint_requests_total", outcome="answered") == 8
    assert count("ekiben_endpoint_requests_total", outcome="internal") == 2
    assert count("ekiben_endpoint_requests_total", outcome="timeout") == 5
    assert count("ekiben_endpoint_call_seconds_count") == 2
    assert count("ekiben_endpoint_call_seconds_sum") == pytest.approx(0.32)


def test_the_state_of_a_breaker_is_one_of_three(watches, registry):
    watch = watches.open("delay", "1", "http://a")
    for state in (BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED):
        watch.breaker_turned(state)
        shown = {
            each: registry.get_sample_value("ekiben_endpoint_breaker", {**OF, "state": each})
            for each in ("closed", "half-open", "open")
        }
        assert [each for each, value in shown.items() if value == 1] == [state]
        assert sum(shown.values()) == 1


def test_a_closed_client_leaves_no_labels_behind(watches, registry):
    watch = watches.open("delay", "1", "http://a")
    watch.called(10, 0.02, ANSWERED, {"internal": 2})
    watch.closed()
    watch.called(1, 0.02, "unavailable", NO_ROW_ERRORS)  # it was under way
    samples = [sample for metric in registry.collect() for sample in metric.samples]
    assert samples == []
