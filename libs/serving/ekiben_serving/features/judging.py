"""Whether what a store gave for one feature of one entity may be used, and why not, in words. Pure.

Feast's online read gives values of any age: only what stands here keeps a view's TTL.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from ekiben_contracts.event import FeatureValue
from ekiben_serving.features.store import Key, View
from ekiben_serving.specs import ColumnSpec
from ekiben_serving.validation import misfit


class Why(StrEnum):
    """Why a feature is lacking."""

    UNKEYED = "unkeyed"
    UNSEEN = "unseen"
    STALE = "stale"
    UNFIT = "unfit"


class Lack(NamedTuple):
    """A feature that the store could not give, and what was found in its place."""

    why: Why
    detail: str


Keys = Mapping[str, Key | None]


def judge(
    view: View, keys: Keys, untold: Mapping[str, str], known_at: float | None, now: float
) -> Lack | None:
    """None where the value may be used. `untold` says why a key is None. Times are Unix seconds."""
    if absent := [untold[name] for name in view.join_keys if keys[name] is None]:
        return Lack(Why.UNKEYED, "; ".join(absent))
    if known_at is None:
        return Lack(Why.UNSEEN, f"{view.name} has never seen {_entity(view, keys)}")
    if view.ttl_s is not None and now - known_at > view.ttl_s:
        return Lack(
            Why.STALE,
            f"what {view.name} has of {_entity(view, keys)} is {now - known_at:.0f} s old, and may be "
            f"{view.ttl_s:g} s",
        )
    return None


def judge_fit(view: View, keys: Keys, value: FeatureValue, spec: ColumnSpec) -> Lack | None:
    """None where the model takes the value. The request is not to blame for another: whoever wrote it is."""
    wrong = misfit(value, spec)
    if wrong is None:
        return None
    return Lack(Why.UNFIT, f"what {view.name} has as {spec.name} of {_entity(view, keys)} is unfit: {wrong}")


def _entity(view: View, keys: Keys) -> str:
    return ", ".join(f"{name} {str(keys[name])[:64]!r}" for name in view.join_keys)
