"""What keeps a feature store from answering. Whoever asked tries again later: the request is not to blame."""

from __future__ import annotations


class FeatureStoreError(Exception):
    """The store, or one of its services, gave no answer. Outside trouble: wait and ask again."""


class UnknownFeatureServiceError(FeatureStoreError):
    """The store has no such feature service, now."""

    def __init__(self, service: str, store: str, known: list[str]) -> None:
        super().__init__(
            f"expected the feature service {service} in {store}, found {', '.join(sorted(known)) or 'none'}; "
            "apply the repository that defines it, or deploy the model with one of these"
        )


class UnfitFeatureServiceError(FeatureStoreError):
    """The store's definitions are none that can be asked one row at a time."""


class FeatureStoreSilentError(FeatureStoreError):
    """It said nothing in time, or still owes an earlier answer: asking for less helps nobody."""


class FeatureStoreBusyError(FeatureStoreError):
    """Others had its time. It says nothing of whether the store answers: ask again soon."""
