"""The SDK against a cluster in memory: what it publishes, and what it makes of what it reads."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from aiokafka import TopicPartition
from aiokafka.partitioner import murmur2

from ekiben import Ekiben
from ekiben.errors import BrokerUnreachableError, InvalidInputError, NoAnswerError, TopicMissingError
from ekiben_bus.memory import MemoryCluster
from ekiben_contracts.cloudevents import decode, encode
from ekiben_contracts.deployment import (
    DeploymentProgressed,
    DeploymentRequested,
    DeploymentRetireRequested,
    EnsembleRequested,
    Step,
)
from ekiben_contracts.identity import Stage, output_id
from ekiben_contracts.models import Method, ProblemType
from ekiben_contracts.prediction import (
    FailureCode,
    PredictionCompleted,
    PredictionFailed,
    PredictionRequested,
)
from ekiben_contracts.routing import EnsembleDefined, ModelRouted
from ekiben_contracts.topics import (
    DEPLOYMENT_EVENTS,
    DEPLOYMENT_REQUESTS,
    PREDICTION_REQUESTS,
    PREDICTION_RESULTS,
    ROUTES,
)

NOW = datetime(2013, 3, 1, 12, tzinfo=UTC)
FEATURES = {"dep_hour": 5, "carrier": "UA", "distance": 1400.0}


def completed(request_id, prediction=0.25):
    return PredictionCompleted(
        request_id=request_id,
        model="delay",
        entity_id="UA-1545",
        time_horizon="short_term",
        prediction=prediction,
        confidence=0.5,
        method=Method.SINGLE,
        outputs=[],
        latency_ms=3.0,
        completed_at=NOW,
    )


def failed(request_id):
    return PredictionFailed(
        request_id=request_id,
        model="delay",
        entity_id="UA-1545",
        code=FailureCode.UNKNOWN_MODEL,
        message="no",
        retryable=False,
        failed_at=NOW,
    )


def put(cluster, topic, event, id, *, partition=0, key=b"k"):
    value, headers = encode(event, id=id, source="/test", time=NOW)
    cluster.append(TopicPartition(topic.name, partition), [(key, value, headers)])


def answer(cluster, event, *, partition=0, times=1):
    for _ in range(times):
        put(
            cluster, PREDICTION_RESULTS, event, output_id(event.request_id, Stage.RESULT), partition=partition
        )


def published(cluster, topic):
    places = [TopicPartition(topic.name, partition) for partition in range(topic.partitions)]
    return [record for place in places for record in cluster.log(place).records]


async def until(condition):
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.001)


async def test_a_published_request_can_be_read_as_the_contract_says(cluster, ekiben):
    request = PredictionRequested(
        request_id="flight-7", model="delay", entity_id="UA-1545", features=FEATURES
    )
    assert await ekiben.publish(request) == "flight-7"
    (record,) = published(cluster, PREDICTION_REQUESTS)
    event = decode(record.value, record.headers, PREDICTION_REQUESTS)
    assert (event.data, event.id, event.source) == (request, "flight-7", "/ekiben/client")


async def test_a_request_goes_where_java_would_put_its_entity(cluster, ekiben):
    requests = [PredictionRequested(model="delay", entity_id=f"UA-{n}") for n in range(50)]
    await ekiben.publish_many(requests)
    records = published(cluster, PREDICTION_REQUESTS)
    assert {record.key for record in records} == {f"UA-{n}".encode() for n in range(50)}
    for record in records:
        assert record.partition == (murmur2(record.key) & 0x7FFFFFFF) % PREDICTION_REQUESTS.partitions


async def test_more_requests_than_one_chunk_are_all_published_in_order(cluster, ekiben):
    requests = (PredictionRequested(request_id=str(n), model="delay", entity_id="UA-1") for n in range(4500))
    assert await ekiben.publish_many(requests) == [str(n) for n in range(4500)]
    ids = [dict(record.headers)["ce_id"].decode() for record in published(cluster, PREDICTION_REQUESTS)]
    assert ids == [str(n) for n in range(4500)]


async def test_a_request_without_an_id_is_known_by_the_one_it_was_given(cluster, ekiben):
    request_id = await ekiben.publish(PredictionRequested(model="delay", entity_id="UA-1545"))
    (record,) = published(cluster, PREDICTION_REQUESTS)
    assert dict(record.headers)["ce_id"].decode() == request_id


async def test_raw_bytes_are_published_unchanged(cluster, ekiben):
    await ekiben.publish_raw([b"\xff no json"], key=b"k", headers=[("h", b"\xfe")])
    (record,) = published(cluster, PREDICTION_REQUESTS)
    assert (record.key, record.value, list(record.headers)) == (b"k", b"\xff no json", [("h", b"\xfe")])


async def test_a_request_too_large_for_its_topic_is_refused_before_it_is_sent(cluster, ekiben):
    request = PredictionRequested(model="delay", entity_id="UA-1", features={"text": "x" * 2_000_000})
    with pytest.raises(InvalidInputError, match="expected at most"):
        await ekiben.publish(request)
    assert published(cluster, PREDICTION_REQUESTS) == []


async def test_predict_publishes_and_awaits_the_result_of_its_request(cluster, ekiben):
    asking = asyncio.create_task(ekiben.predict("delay", "UA-1545", FEATURES, request_id="flight-7"))
    await until(lambda: published(cluster, PREDICTION_REQUESTS))
    answer(cluster, completed("another"))
    answer(cluster, completed("flight-7"), partition=2, times=2)
    assert (await asking).request_id == "flight-7"


async def test_predict_returns_a_failure_as_the_answer_it_is(cluster, ekiben):
    asking = asyncio.create_task(ekiben.predict("delay", "UA-1545", FEATURES, request_id="flight-7"))
    await until(lambda: published(cluster, PREDICTION_REQUESTS))
    answer(cluster, failed("flight-7"))
    assert (await asking).status == "failed"


async def test_many_predictions_at_once_each_get_their_own_answer(cluster, ekiben):
    asking = [
        asyncio.create_task(ekiben.predict("delay", f"UA-{n}", FEATURES, request_id=f"r{n}"))
        for n in range(20)
    ]
    await until(lambda: len(published(cluster, PREDICTION_REQUESTS)) == 20)
    for n in reversed(range(20)):
        answer(cluster, completed(f"r{n}", prediction=n / 100), partition=n % 4)
    results = await asyncio.gather(*asking)
    assert [result.prediction for result in results] == [n / 100 for n in range(20)]


async def test_predict_says_when_no_answer_came_in_time(ekiben):
    with pytest.raises(NoAnswerError, match="the result of the request flight-7 within"):
        await ekiben.predict("delay", "UA-1545", FEATURES, request_id="flight-7", timeout_s=0.05)


async def test_whoever_still_waits_is_told_when_the_client_closes(cluster):
    async with Ekiben(cluster=cluster) as ekiben:
        asking = asyncio.create_task(ekiben.predict("delay", "UA-1545", FEATURES))
        await until(lambda: published(cluster, PREDICTION_REQUESTS))
    with pytest.raises(BrokerUnreachableError, match="their reader stopped"):
        await asking


async def test_predict_refuses_what_breaks_the_contract(cluster, ekiben):
    with pytest.raises(InvalidInputError, match="model"):
        await ekiben.predict("no such name!", "UA-1545", FEATURES)
    assert published(cluster, PREDICTION_REQUESTS) == []


async def test_results_come_once_however_often_they_were_published(cluster, ekiben):
    async with ekiben.results() as results:
        for request_id in ("a", "b", "a", "a"):
            answer(cluster, completed(request_id))
        answer(cluster, completed("c"))
        found = [(await anext(results)).request_id for _ in range(3)]
    assert found == ["a", "b", "c"]
    assert results.duplicates == 2


async def test_what_is_no_result_is_counted_and_passed_by(cluster, ekiben):
    async with ekiben.results() as results:
        cluster.append(TopicPartition(PREDICTION_RESULTS.name, 0), [(b"k", b"no json", ())])
        answer(cluster, completed("a"))
        assert (await anext(results)).request_id == "a"
    assert results.unreadable == 1


async def test_results_start_where_they_were_entered(cluster, ekiben):
    answer(cluster, completed("before"))
    async with ekiben.results() as results:
        answer(cluster, completed("after"))
        assert (await anext(results)).request_id == "after"


async def test_results_from_the_beginning_end_where_the_topic_ends(cluster, ekiben):
    for n in range(8):
        answer(cluster, completed(f"r{n}"), partition=n % 4)
    async with ekiben.results(from_beginning=True) as results:
        assert sorted([result.request_id async for result in results.to_end()]) == [f"r{n}" for n in range(8)]


async def test_routes_are_the_latest_of_each_key(cluster, ekiben):
    for revision in (1, 2):
        route = ModelRouted(
            model="delay", revision=revision, problem_type=ProblemType.REGRESSION, versions=[], routed_at=NOW
        )
        put(cluster, ROUTES, route, f"delay/{revision}", key=b"model/delay")
    both = EnsembleDefined(
        ensemble="both", revision=1, members=["delay"], method=Method.AVERAGE, defined_at=NOW
    )
    put(cluster, ROUTES, both, "both/1", key=b"ensemble/both")
    put(cluster, ROUTES, both.model_copy(update={"ensemble": "gone"}), "gone/1", key=b"ensemble/gone")
    cluster.append(TopicPartition(ROUTES.name, 0), [(b"ensemble/gone", None, ())])
    routes = await ekiben.routes()
    assert {name: route.revision for name, route in routes.models.items()} == {"delay": 2}
    assert dict(routes.ensembles) == {"both": both}


def progressed(deployment_id, step):
    return DeploymentProgressed(
        deployment_id=deployment_id, model="delay", version="3", step=step, reason="so", at=NOW
    )


async def test_a_deployment_tells_its_own_steps_once_and_ends_with_the_last(cluster, ekiben):
    deployment = await ekiben.deploy("delay", "3", deployment_id="d1", requested_by="ann")
    (record,) = published(cluster, DEPLOYMENT_REQUESTS)
    request = decode(record.value, record.headers, DEPLOYMENT_REQUESTS).data
    assert request == DeploymentRequested(deployment_id="d1", model="delay", version="3", requested_by="ann")
    for name, step in [
        ("d0", Step.FAILED),
        ("d1", Step.PLANNED),
        ("d1", Step.PLANNED),
        ("d1", Step.COMPLETED),
    ]:
        put(cluster, DEPLOYMENT_EVENTS, progressed(name, step), f"{name}/{step}")
    assert [step.step async for step in deployment.steps()] == [Step.PLANNED, Step.COMPLETED]


async def test_a_deployment_that_does_not_end_in_time_says_so(ekiben):
    deployment = await ekiben.deploy("delay", "3", deployment_id="d1")
    with pytest.raises(NoAnswerError, match="the deployment d1 of delay"):
        await deployment.finished(timeout_s=0.05)


async def test_a_retirement_is_asked_for_like_a_deployment(cluster, ekiben):
    deployment = await ekiben.retire("delay", "3", reason="worse", requested_by="ann")
    (record,) = published(cluster, DEPLOYMENT_REQUESTS)
    request = decode(record.value, record.headers, DEPLOYMENT_REQUESTS).data
    assert request == DeploymentRetireRequested(
        deployment_id=deployment.id, model="delay", version="3", reason="worse", requested_by="ann"
    )


async def test_an_ensemble_is_asked_for_like_a_deployment(cluster, ekiben):
    deployment = await ekiben.define_ensemble("both", ["a", "b"], requested_by="ann")
    (record,) = published(cluster, DEPLOYMENT_REQUESTS)
    request = decode(record.value, record.headers, DEPLOYMENT_REQUESTS).data
    assert isinstance(request, EnsembleRequested)
    assert (request.model, request.members, request.deployment_id) == ("both", ["a", "b"], deployment.id)


async def test_an_ensemble_without_members_is_refused(ekiben):
    with pytest.raises(InvalidInputError, match="members"):
        await ekiben.define_ensemble("both", [])


async def test_a_cluster_without_our_topics_is_told_by_name():
    async with Ekiben(cluster=MemoryCluster()) as ekiben:
        with pytest.raises(TopicMissingError, match=r"ekiben\.prediction-requests"):
            await ekiben.publish(PredictionRequested(model="delay", entity_id="UA-1"))


async def test_the_prefix_is_before_every_topic(cluster):
    cluster.create_topic("staging.ekiben.prediction-requests", 1)
    async with Ekiben(cluster=cluster, topic_prefix="staging.") as ekiben:
        await ekiben.publish(PredictionRequested(model="delay", entity_id="UA-1"))
    assert len(cluster.log(TopicPartition("staging.ekiben.prediction-requests", 0)).records) == 1
