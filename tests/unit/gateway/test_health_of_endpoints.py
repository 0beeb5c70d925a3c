"""The gateway as it runs, with a real model server: what it reports of it, in events and in metrics."""

from __future__ import annotations

from structlog.testing import capture_logs

from ekiben_contracts.cloudevents import decode
from ekiben_contracts.health import summarize
from ekiben_contracts.topics import ENDPOINT_HEALTH, MODEL_OUTPUTS, PREDICTION_REQUESTS
from ekiben_inference_gateway.app import build
from ekiben_inference_gateway.settings import GatewaySettings
from unit.gateway.building import model, received, version
from unit.in_memory import QUICK, Kafka, running, until
from unit.serving.columns_server import SIGNATURE, ColumnsServer, serving


def reports(kafka):
    """What was reported so far."""
    records = kafka.records(ENDPOINT_HEALTH.name)
    return [decode(record.value, record.headers, ENDPOINT_HEALTH).data for record in records]


def routed(kafka: Kafka, server: ColumnsServer, settings: GatewaySettings):
    """A gateway whose model is that server's."""
    behind = version("3").model_copy(update={"url": server.url, "signature": SIGNATURE})
    kafka.route(model("delay", behind))
    return build(settings, QUICK, kafka.cluster)


def ask(kafka: Kafka, number: int) -> None:
    kafka.send(PREDICTION_REQUESTS, received(number, features={"x": float(number)}).event)


async def test_what_endpoints_answer_is_reported_with_the_state_of_their_breakers():
    kafka = Kafka()
    async with serving() as server:
        gateway = routed(kafka, server, GatewaySettings(instance="g1", health_window_s=0.1, max_retries=0))
        labels = {"model": "delay", "version": "3", "endpoint": server.url}

        def breaker(state: str):
            return gateway.registry.get_sample_value("ekiben_endpoint_breaker", {**labels, "state": state})

        async with running(gateway):
            for n in range(20):
                ask(kafka, n)
            await kafka.events(MODEL_OUTPUTS, 20)
            await until(lambda: sum(report.requests for report in reports(kafka)) == 20)
            assert (breaker("closed"), breaker("open")) == (1, 0)
            server.refusal = 503
            ask(kafka, 20)
            await until(lambda: [report for report in reports(kafka) if report.breaker == "open"])
            server.refusal = None
            await kafka.events(MODEL_OUTPUTS, 21)
            assert (breaker("closed"), breaker("open")) == (1, 0)
        found, seen = reports(kafka), summarize(reports(kafka))

    assert {(each.model, each.version, each.url) for each in found} == {("delay", "3", server.url)}
    assert {record.key for record in kafka.records(ENDPOINT_HEALTH.name)} == {b"delay"}
    assert seen.breakers == {"g1": "closed"}
    assert seen.requests - seen.failed == 21
    assert seen.errors["unavailable"] >= 5
    assert seen.latency_ms.keys() == {"p50", "p95", "p99"}
    assert breaker("closed") is None


async def test_a_gateway_that_cannot_report_answers_all_the_same():
    kafka = Kafka()
    del kafka.cluster.partitions[ENDPOINT_HEALTH.name]
    async with serving() as server:
        gateway = routed(kafka, server, GatewaySettings(health_window_s=0.05))
        with capture_logs() as logs:
            async with running(gateway):
                ask(kafka, 0)
                await kafka.events(MODEL_OUTPUTS, 1)
                await until(
                    lambda: [log for log in logs if log["event"] == "endpoint health not reported yet"]
                )
                ask(kafka, 1)
                await kafka.events(MODEL_OUTPUTS, 2)
