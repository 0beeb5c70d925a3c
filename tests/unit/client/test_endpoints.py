"""What is known of endpoints: from the reports of gateways to what `ekiben routes` shows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import TopicPartition

from ekiben import Ekiben
from ekiben.cli import routing
from ekiben.cli.output import Output
from ekiben.endpoints import Endpoint, lately
from ekiben.routes import Routes
from ekiben_contracts.cloudevents import encode
from ekiben_contracts.health import SILENT_AFTER_S, BreakerState, EndpointHealthReported
from ekiben_contracts.models import ProblemType, Role
from ekiben_contracts.routing import ModelRouted, RoutedVersion
from ekiben_contracts.topics import ENDPOINT_HEALTH

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
WINDOW = timedelta(seconds=5)
DELAY = Endpoint("delay", "1", "http://a:1")
NEAR = Endpoint("delay", "1", "models:/delay/1")


def report(endpoint=DELAY, gateway="g1", ago_s=0.0, breaker=BreakerState.CLOSED, **rest):
    end = NOW - timedelta(seconds=ago_s)
    fields = {"requests": 100, "latency_buckets": {19: 90}, "errors": {"timeout": 10}, **rest}
    return EndpointHealthReported(
        **endpoint._asdict(),
        **fields,
        gateway=gateway,
        breaker=breaker,
        window_start=end - WINDOW,
        window_end=end,
    )


def routes(*urls):
    versions = [
        RoutedVersion(
            version=str(number),
            url=url,
            weight=0 if number > 1 else 10_000,
            role=Role.CHALLENGER if number > 1 else Role.CHAMPION,
            signature=[],
        )
        for number, url in enumerate(urls, 1)
    ]
    delay = ModelRouted(
        model="delay", revision=1, problem_type=ProblemType.REGRESSION, versions=versions, routed_at=NOW
    )
    return Routes({"delay": delay}, {})


def test_what_gateways_saw_lately_is_one():
    found = lately([report(), report(ago_s=5), report(gateway="g2"), report(NEAR)], NOW)
    assert list(found) == [DELAY, NEAR]
    assert (found[DELAY].requests, found[DELAY].failed) == (300, 30)
    assert (found[NEAR].requests, found[NEAR].failed) == (100, 10)


def test_what_was_long_ago_is_forgotten():
    silent = [report(ago_s=SILENT_AFTER_S, breaker=BreakerState.OPEN)]
    assert lately(silent, NOW) == {}
    assert lately([*silent, report(ago_s=SILENT_AFTER_S - 1)], NOW)[DELAY].breaker == "closed"


async def test_the_end_of_the_topic_is_read_whatever_else_is_on_it(cluster):
    for event in (report(ago_s=3600), report(ago_s=5), report(ago_s=5), report(breaker=BreakerState.OPEN)):
        value, headers = encode(event, id=event.id, source="/test", time=NOW)
        cluster.append(TopicPartition(ENDPOINT_HEALTH.name, 0), [(b"delay", value, headers)])
    cluster.append(TopicPartition(ENDPOINT_HEALTH.name, 0), [(b"delay", b"no JSON", ())])
    async with Ekiben(cluster=cluster, now=lambda: NOW) as ekiben:
        found = await ekiben.endpoints()
    assert {endpoint: (health.requests, health.breaker) for endpoint, health in found.items()} == {
        DELAY: (200, "open")
    }


def test_the_document_has_the_health_of_each_version_and_of_what_is_asked_beside_the_routes():
    healths = lately([report(breaker=BreakerState.OPEN), report(NEAR)], NOW)
    found = json.loads(json.dumps(routing.document(routes(DELAY.url, "http://b:2"), healths)))
    (model,) = found["models"]
    first, second = model["versions"]
    assert first["health"] == {
        "breaker": "open",
        "breakers": {"g1": "open"},
        "requests": 100,
        "failed": 10,
        "errors": {"timeout": 10},
        "latency_ms": {"p50": 5.657, "p95": 5.657, "p99": 5.657},
        "seen_at": "2026-03-01T12:00:00+00:00",
    }
    assert second["health"] is None
    (near,) = found["endpoints"]
    assert (near["url"], near["health"]["breaker"]) == (NEAR.url, "closed")


def test_the_table_shows_breaker_requests_and_errors(capsys: pytest.CaptureFixture[str]):
    healths = lately([report(breaker=BreakerState.OPEN, errors={"timeout": 9, "busy": 1}), report(NEAR)], NOW)
    routing.show(routes(DELAY.url, "http://b:2"), healths, Output())
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["delay", "1", "champion", "100", "%", "regression", DELAY.url] == lines[1][:7]
    assert lines[1][7:] == ["open", "100", "1", "busy,", "9", "timeout", "5.66"]
    assert lines[2][-4:] == ["-"] * 4
    assert lines[-1] == ["delay", "1", NEAR.url, "closed", "100", "10", "timeout", "5.66"]


def test_a_model_that_only_a_file_names_is_shown(capsys: pytest.CaptureFixture[str]):
    routing.show(Routes({}, {}), lately([report(NEAR)], NOW), Output())
    assert NEAR.url in capsys.readouterr().out
