"""Feast's online store behind the port. Needs ekiben-serving[feast], and imports it when it is opened."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from ekiben_contracts.event import FeatureValue
from ekiben_serving.features.errors import FeatureStoreError, UnknownFeatureServiceError
from ekiben_serving.features.feast_definitions import service_of
from ekiben_serving.features.store import Column, Key, Service

if TYPE_CHECKING:
    from feast import FeatureService, FeatureStore
    from feast.protos.feast.serving.ServingService_pb2 import GetOnlineFeaturesResponse
    from feast.protos.feast.types.Value_pb2 import Value
    from google.protobuf.timestamp_pb2 import Timestamp

DEFINITIONS: Final = "feature_store.yaml"
_DEFINITIONS_FOR_S: Final = 10.0
_NOT_FOUND: Final = 3  # FieldStatus.NOT_FOUND


class _Defined(NamedTuple):
    theirs: FeatureService
    ours: Service
    read_at: float


class FeastStore:
    """A Feast repository: the folder with its feature_store.yaml.

    Definitions are asked of the registry every ten seconds; it reads its file again when its own
    `cache_ttl_seconds` are over. Nothing of it calls home.
    """

    def __init__(self, repository: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Open it; the online store is connected to by the first read.

        Raises:
            FeatureStoreError: there is no repository, or Feast cannot open it.
        """
        self._repository = repository
        self._clock = clock
        self._feast = _open(repository)
        self._defined: dict[str, _Defined] = {}

    def describe(self, service: str) -> Service:
        """See FeatureStore.describe."""
        return self._definition(service).ours

    def read(self, service: str, keys: Mapping[str, Sequence[Key]]) -> Mapping[str, Column]:
        """See FeatureStore.read."""
        defined = self._definition(service)
        try:
            answer = self._feast.get_online_features(
                features=defined.theirs, entity_rows={name: list(column) for name, column in keys.items()}
            )
        except Exception as error:  # every online store raises errors of its own driver
            self._defined.clear()  # it may have been defined anew
            raise self._away(service, error) from error
        return _columns(answer.proto, frozenset(keys))

    def close(self) -> None:
        """See FeatureStore.close. Feast keeps its connections for as long as the process lives."""

    def _definition(self, name: str) -> _Defined:
        known, now = self._defined.get(name), self._clock()
        if known is None or now - known.read_at > _DEFINITIONS_FOR_S:
            try:
                known = self._defined[name] = self._define(name, now)
            except FeatureStoreError:
                raise
            except Exception as error:
                raise self._away(name, error) from error
        return known

    def _define(self, name: str, now: float) -> _Defined:
        from feast.errors import FeatureServiceNotFoundException  # noqa: PLC0415 - an extra

        try:
            service = self._feast.get_feature_service(name, allow_cache=True)
        except FeatureServiceNotFoundException as error:
            self._feast.refresh_registry()
            known = [known.name for known in self._feast.list_feature_services()]
            raise UnknownFeatureServiceError(name, str(self._repository), known) from error
        views = [
            *self._feast.list_feature_views(allow_cache=True),
            *self._feast.list_stream_feature_views(allow_cache=True),
        ]
        return _Defined(service, service_of(service, {view.name: view for view in views}), now)

    def _away(self, service: str, error: Exception) -> FeatureStoreError:
        return FeatureStoreError(
            f"expected features of {service} from the Feast repository {self._repository}, found "
            f"{type(error).__name__}: {error}; see whether its online store answers, and was applied"
        )


def _open(repository: Path) -> FeatureStore:
    try:
        return _opened(repository)
    except FeatureStoreError:
        raise
    except ModuleNotFoundError as error:
        raise FeatureStoreError(
            f"expected Feast, to read the repository {repository}, found no {error.name}; "
            "install ekiben-serving[feast]"
        ) from error
    except Exception as error:  # a folder that may not be read, half an installation, a registry's driver
        raise FeatureStoreError(
            f"expected a Feast repository in {repository}, found {type(error).__name__}: {error}; "
            f"mend its {DEFINITIONS}, or who may read it"
        ) from error


def _opened(repository: Path) -> FeatureStore:
    os.environ["FEAST_USAGE"] = "False"
    if not (repository / DEFINITIONS).is_file():
        raise FeatureStoreError(
            f"expected a Feast repository in {repository}, found no {DEFINITIONS}; "
            "name another in EKIBEN_FEATURES_REPOSITORY, or apply one there"
        )
    from feast import FeatureStore  # noqa: PLC0415 - an extra, and seconds of imports

    return FeatureStore(repo_path=str(repository))


def _columns(answer: GetOnlineFeaturesResponse, keys: frozenset[str]) -> dict[str, Column]:
    return {
        name: Column(
            [_plain(value) for value in column.values],
            [_known_at(*one) for one in zip(column.statuses, column.event_timestamps, strict=True)],
        )
        for name, column in zip(answer.metadata.feature_names.val, answer.results, strict=True)
        if name not in keys
    }


def _known_at(status: int, at: Timestamp) -> float | None:
    """Feast's Redis store calls an entity that it has never seen present; only its time is empty."""
    return None if status == _NOT_FOUND else at.seconds + at.nanos / 1e9 or None


def _plain(value: Value) -> FeatureValue:
    """As it stands in JSON: what was written as not a number, or as infinite, is null."""
    kind = value.WhichOneof("val")
    if kind is None or kind == "null_val":
        return None
    plain: FeatureValue = getattr(value, kind)
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain
