"""A feature store in memory, for the tests of whoever asks one: it keeps the promises of the real one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ekiben_contracts.event import FeatureValue
from ekiben_serving.features.errors import FeatureStoreError, UnknownFeatureServiceError
from ekiben_serving.features.store import Column, Key, Service


class FakeFeatureStore:
    """Filled by `write`. Set `failure` to be away, `pause` to be slow; see what was read in `reads`."""

    def __init__(self, *services: Service) -> None:
        self.failure: FeatureStoreError | None = None
        self.pause: Callable[[], object] = lambda: None
        self.reads: list[tuple[str, int]] = []
        self.closed = False
        self._services = {service.name: service for service in services}
        self._known: dict[tuple[str, tuple[Key, ...]], tuple[Mapping[str, FeatureValue], float]] = {}

    def write(
        self, view: str, keys: Sequence[Key], values: Mapping[str, FeatureValue], known_at: float
    ) -> None:
        """Keep what is known of one entity of a view, by its join keys in their order."""
        self._known[view, tuple(keys)] = (values, known_at)

    def describe(self, service: str) -> Service:
        """See FeatureStore.describe."""
        if self.failure is not None:
            raise self.failure
        if service not in self._services:
            raise UnknownFeatureServiceError(service, "the fake store", list(self._services))
        return self._services[service]

    def read(self, service: str, keys: Mapping[str, Sequence[Key]]) -> Mapping[str, Column]:
        """See FeatureStore.read."""
        described = self.describe(service)
        self.reads.append((service, len(next(iter(keys.values())))))
        self.pause()
        columns: dict[str, Column] = {}
        for view in described.views:
            entities = list(zip(*(keys[name] for name in view.join_keys), strict=True))
            known = [self._known.get((view.name, entity)) for entity in entities]
            for feature in view.features:
                columns[feature] = Column(
                    [None if one is None else one[0].get(feature) for one in known],
                    [None if one is None else one[1] for one in known],
                )
        return columns

    def close(self) -> None:
        """See FeatureStore.close."""
        self.closed = True
