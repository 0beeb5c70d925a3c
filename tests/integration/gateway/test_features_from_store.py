"""Real Kafka, a real Bento, real Feast: requests that bring no features, and what becomes of each."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ekiben import Ekiben
from ekiben_bus.settings import KafkaSettings, ServiceSettings
from ekiben_bus.verdicts import Outgoing
from ekiben_contracts.prediction import (
    FailureCode,
    PredictionCompleted,
    PredictionFailed,
    PredictionRequested,
)
from ekiben_contracts.topics import ROUTES
from ekiben_inference_gateway.app import build
from ekiben_inference_gateway.features.settings import FeatureSettings
from ekiben_inference_gateway.settings import GatewaySettings
from ekiben_serving.features.feast_store import FeastStore
from ekiben_serving.features.store import Column, FeatureStore, Key
from ekiben_synthesizer.app import build as build_synthesizer
from ekiben_synthesizer.settings import SynthesizerSettings
from integration.gateway.asking import FEATURES, route
from integration.served import Logged, Served
from unit.in_memory import running

pytestmark = pytest.mark.kafka
DEADLINE_S = 60.0


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from integration.gateway.late_features import write_repository  # noqa: PLC0415 - Feast is seconds of imports

    folder = tmp_path_factory.mktemp("features")
    write_repository(folder)
    return folder


class HangingStore(FeastStore):
    """Feast, whose every read waits until it is let go."""

    def __init__(self, repository: Path, let_go: threading.Event) -> None:
        super().__init__(repository)
        self._let_go = let_go

    def read(self, service: str, keys: Mapping[str, Sequence[Key]]) -> Mapping[str, Column]:
        self._let_go.wait(DEADLINE_S)
        return super().read(service, keys)


@pytest.fixture
def let_go() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def system(
    classifier: Logged, served: Served, kafka_settings: KafkaSettings, topic_prefix: str, repository: Path
):
    """A gateway with the store and a synthesizer, for as long as the block lasts; and a client."""

    @asynccontextmanager
    async def start(
        open_repository: Callable[[Path], FeatureStore] = FeastStore, **features: float
    ) -> AsyncIterator[Ekiben]:
        named = ServiceSettings(topic_prefix=topic_prefix)
        settings = FeatureSettings(repository=repository, **features)
        gateway = build(
            GatewaySettings(call_budget_s=20.0),
            named,
            kafka_settings,
            features=settings,
            open_repository=open_repository,
        )
        routed = route(classifier.event, served.url).model_copy(update={"feature_service": "late"})
        async with (
            Ekiben(kafka_settings.bootstrap_servers, topic_prefix=topic_prefix) as client,
            running(gateway, build_synthesizer(SynthesizerSettings(), named, kafka_settings)),
        ):
            await client.send([Outgoing(ROUTES, routed, "route", routed.key.encode())])
            yield client

    return start


def asked(name: str, entity_id: str = "UA1", **rest: object) -> PredictionRequested:
    return PredictionRequested(request_id=name, model="late", entity_id=entity_id, **rest)  # type: ignore[arg-type]


async def test_each_request_without_features_ends_by_what_the_store_knows_of_its_entity(system) -> None:
    async with system() as client, asyncio.timeout(DEADLINE_S):
        await client.publish_many(
            [
                asked("brought", features=FEATURES),
                asked("null"),
                asked("some", features={"carrier": "AA"}),
                asked("unseen", "nobody"),
                asked("stale", "UA2"),
            ]
        )
        results = {}
        async with client.results(from_beginning=True) as reading:
            async for result in reading:
                results[result.request_id] = result
                if len(results) == 5:
                    break
        letters = {letter.id: letter async for letter in client.dead_letters()}

    assert results["null"].prediction == results["brought"].prediction
    assert isinstance(results["some"], PredictionCompleted)
    assert results["some"].prediction != results["null"].prediction
    for name, says in (("unseen", "never seen flight 'nobody'"), ("stale", "old, and may be 3600 s")):
        failed = results[name]
        assert isinstance(failed, PredictionFailed)
        assert failed.code is FailureCode.MISSING_FEATURES
        assert "carrier, distance, hour" in failed.message
        assert says in failed.message
        letter = letters[failed.dead_letter or ""]
        assert PredictionRequested.model_validate_json(letter.value or b"").request_id == name
        assert letter.reason == "missing-features"
    assert len(letters) == 2


async def test_while_the_store_hangs_nobody_else_waits_and_then_those_that_did_are_answered(
    system, let_go: threading.Event
) -> None:
    def hanging(repository: Path) -> FeatureStore:
        return HangingStore(repository, let_go)

    async with system(hanging, timeout_s=0.2) as client, asyncio.timeout(DEADLINE_S):
        await client.publish_many([asked(f"null-{n}") for n in range(5)])
        answered = set()
        async with client.results(from_beginning=True) as reading:
            await client.publish_many([asked(f"brought-{n}", features=FEATURES) for n in range(50)])
            async for result in reading:
                assert isinstance(result, PredictionCompleted)
                answered.add(result.request_id)
                if len(answered) == 50:
                    assert answered == {f"brought-{n}" for n in range(50)}
                    let_go.set()
                if len(answered) == 55:
                    break
