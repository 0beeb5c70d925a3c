"""What every feature store promises: the fake one, and Feast on each online store that can be had here."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from conformance.feature_servers import SQLITE, online_store, servers
from ekiben_serving.features.errors import (
    FeatureStoreError,
    UnfitFeatureServiceError,
    UnknownFeatureServiceError,
)
from ekiben_serving.features.fake_store import FakeFeatureStore
from ekiben_serving.features.feast_store import FeastStore, _plain
from ekiben_serving.features.judging import Why
from ekiben_serving.features.looking_up import Entity, look_up
from ekiben_serving.features.store import FeatureStore, Key, Service, View

TTL_S = 3600.0
ROUTES = View("routes", ("origin", "number"), ("distance", "late"), TTL_S)
PLANES = View("planes", ("tail",), ("seats", "maker"))
TEMPLATE = "{origin}-{number}-{tail}"
SERVICE = Service("flights", (ROUTES, PLANES), {"origin": str, "number": int, "tail": str}, TEMPLATE)
ALL = frozenset({"distance", "late", "seats", "maker"})
Write = Callable[[str, Sequence[Key], Mapping[str, object], float], None]


@dataclass(frozen=True)
class Subject:
    """A store with the service, and a way to write into it, as whoever materializes does."""

    store: FeatureStore
    write: Write


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Path]]:
    """Feast repositories that were applied, by the kind of their online store."""
    with ExitStack() as until_the_end:

        @cache
        def repository(kind: str) -> Path:
            folder = tmp_path_factory.mktemp(kind)
            address = until_the_end.enter_context(servers()[kind]()) if kind != SQLITE else ""
            _apply(folder, online_store(kind, address))
            return folder

        yield repository


def _apply(folder: Path, online: str) -> None:
    from conformance.feast_repository import apply  # noqa: PLC0415 - Feast is seconds of imports

    apply(folder, online, timedelta(seconds=TTL_S), TEMPLATE)


@pytest.fixture(params=["fake", SQLITE, *servers()])
def subject(request: pytest.FixtureRequest, repositories: Callable[[str], Path]) -> Subject:
    if request.param == "fake":
        fake = FakeFeatureStore(SERVICE)
        return Subject(fake, fake.write)
    from conformance.feast_repository import writer  # noqa: PLC0415 - Feast is seconds of imports

    repository = repositories(request.param)
    keys = {view.name: view.join_keys for view in SERVICE.views}
    return Subject(FeastStore(repository), writer(repository, keys))


def found(subject: Subject, *entity_ids: str, wanted: frozenset[str] = ALL, now: float | None = None):
    entities = [Entity(entity_id, {}, wanted) for entity_id in entity_ids]
    return look_up(subject.store, "flights", entities, time.time() if now is None else now)


def test_a_service_is_described_with_its_views_keys_and_ttls(subject: Subject):
    described = subject.store.describe("flights")
    assert described.name == "flights"
    assert {view.name: view.ttl_s for view in described.views} == {"routes": TTL_S, "planes": None}
    assert {view.name: set(view.join_keys) for view in described.views} == {
        "routes": {"origin", "number"},
        "planes": {"tail"},
    }
    assert set(described.view_of) == ALL
    assert dict(described.join_keys) == {"origin": str, "number": int, "tail": str}
    assert described.entity_id == TEMPLATE


def test_each_entity_gets_its_own_values_of_their_types_in_the_order_asked(subject: Subject):
    now = time.time()
    for number in (1, 2):
        values = {"distance": number + 0.5, "late": number == 1}
        subject.write("routes", ("EWR", number), values, now)
    subject.write("planes", ("N1",), {"seats": 149, "maker": "Ærø"}, now)

    second, first, again = found(subject, "EWR-2-N1", "EWR-1-N1", "EWR-2-N1")

    assert first.values == {"distance": 1.5, "late": True, "seats": 149, "maker": "Ærø"}
    assert second.values == again.values == {"distance": 2.5, "late": False, "seats": 149, "maker": "Ærø"}
    assert [type(first.values[name]) for name in ("distance", "late", "seats")] == [float, bool, int]
    assert not first.lacking


def test_a_null_that_was_written_is_known(subject: Subject):
    subject.write("planes", ("N-null",), {"seats": None, "maker": "Boeing"}, time.time())
    (one,) = found(subject, "EWR-1-N-null", wanted=frozenset({"seats", "maker"}))
    assert (one.values, one.lacking) == ({"seats": None, "maker": "Boeing"}, {})


def test_what_nobody_wrote_was_never_seen(subject: Subject):
    subject.write("planes", ("N3",), {"seats": 1, "maker": "x"}, time.time())
    (one,) = found(subject, "LGA-77-N3")
    assert one.values == {"seats": 1, "maker": "x"}
    assert {name: lack.why for name, lack in one.lacking.items()} == {
        "distance": Why.UNSEEN,
        "late": Why.UNSEEN,
    }


def test_the_store_gives_a_value_of_any_age_and_its_time_keeps_the_ttl(subject: Subject):
    now = float(int(time.time()))
    subject.write("routes", ("JFK", 9), {"distance": 1.0, "late": True}, now - TTL_S)
    subject.write("planes", ("N9",), {"seats": 1, "maker": "x"}, now - 10 * TTL_S)

    given = subject.store.read("flights", {"origin": ["JFK"], "number": [9], "tail": ["N9"]})
    assert given["distance"].values == [1.0]
    assert given["distance"].known_at == [now - TTL_S]

    (fresh,) = found(subject, "JFK-9-N9", now=now)
    (stale,) = found(subject, "JFK-9-N9", now=now + 1)
    assert not fresh.lacking
    assert {name: lack.why for name, lack in stale.lacking.items()} == {
        "distance": Why.STALE,
        "late": Why.STALE,
    }
    assert stale.values == {"seats": 1, "maker": "x"}


def test_what_is_written_again_takes_the_place_of_what_was_there(subject: Subject):
    now = time.time()
    subject.write("planes", ("N5",), {"seats": 1, "maker": "x"}, now - 60)
    subject.write("planes", ("N5",), {"seats": 2, "maker": "y"}, now)
    (one,) = found(subject, "EWR-1-N5", wanted=frozenset({"seats", "maker"}))
    assert one.values == {"seats": 2, "maker": "y"}


def test_strange_keys_are_entities_like_others(subject: Subject):
    subject.write("planes", ("'; DROP TABLE x; --",), {"seats": 7, "maker": "x"}, time.time())
    known, unknown = found(subject, "a-1-'; DROP TABLE x; --", "a-1-\0", wanted=frozenset({"seats"}))
    assert known.values == {"seats": 7}
    assert unknown.lacking["seats"].why is Why.UNSEEN


def test_a_service_that_is_not_there_is_named_beside_those_that_are(subject: Subject):
    with pytest.raises(UnknownFeatureServiceError, match=r"feature service hotels .*flights"):
        subject.store.describe("hotels")


class TestFeastAlone:
    def test_lists_cannot_be_asked_row_by_row(self, repositories: Callable[[str], Path]):
        with pytest.raises(UnfitFeatureServiceError, match="weights"):
            FeastStore(repositories(SQLITE)).describe("lists")

    def test_a_key_that_its_type_cannot_hold_costs_no_neighbour_the_read(
        self, repositories: Callable[[str], Path]
    ):
        store = FeastStore(repositories(SQLITE))
        entities = [Entity(entity_id, {}, frozenset({"score"})) for entity_id in ("7", "3000000000")]
        good, narrow = look_up(store, "crews", entities, time.time())
        assert good.lacking["score"].why is Why.UNSEEN
        assert narrow.lacking["score"].why is Why.UNKEYED

    def test_a_service_of_nothing_is_refused_by_name(self, repositories: Callable[[str], Path]):
        with pytest.raises(UnfitFeatureServiceError, match="expected nothing to be made of feature views"):
            FeastStore(repositories(SQLITE)).describe("nothing")

    def test_not_a_number_is_null_whoever_wrote_it(self):
        from feast.protos.feast.types.Value_pb2 import Value  # noqa: PLC0415 - Feast is seconds of imports

        assert [_plain(Value(double_val=x)) for x in (math.nan, math.inf, 1.5)] == [None, None, 1.5]
        assert _plain(Value()) is None

    def test_a_folder_without_a_repository_says_what_to_do(self, tmp_path: Path):
        with pytest.raises(FeatureStoreError, match="EKIBEN_FEATURES_REPOSITORY"):
            FeastStore(tmp_path)

    def test_a_repository_that_cannot_be_read_names_what_to_mend(self, tmp_path: Path):
        (tmp_path / "feature_store.yaml").write_text("project: [")
        with pytest.raises(FeatureStoreError, match=r"mend its feature_store\.yaml"):
            FeastStore(tmp_path)

    def test_a_repository_that_may_not_be_looked_at_is_outside_trouble(self, tmp_path: Path):
        with pytest.raises(FeatureStoreError, match=r"found OSError: .*who may read it"):
            FeastStore(tmp_path / ("long" * 100))  # as PermissionError, nothing that is_file passes over

    def test_an_online_store_that_is_away_is_outside_trouble(self, tmp_path: Path):
        _apply(tmp_path, online_store(SQLITE, ""))
        store = FeastStore(tmp_path)
        store.describe("flights")
        (tmp_path / "online.db").unlink()
        (tmp_path / "online.db").mkdir()
        with pytest.raises(FeatureStoreError, match="OperationalError"):
            store.read("flights", {"origin": ["a"], "number": [1], "tail": ["b"]})
