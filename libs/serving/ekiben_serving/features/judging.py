"""Whether what a store gave for one feature of one entity may be used, and why not, in words. Pure.

Feast's online read gives values of any age: only what stands here keeps a view's TTL.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from ekiben_serving.features.store import Key, View


class Why(StrEnum):
    """Why a feature is lacking."""

    UNKEYED = "unkeyed"
    UNSEEN = "unseen"
    STALE = "stale"


class Lack(NamedTuple):
    """A feature that the store could not give, and what was found in its place."""

    why: Why
    detail: str


def judge(view: View, keys: Mapping[str, Key | None], known_at: float | None, now: float) -> Lack | None:
    """None where the value may be used. Times are Unix seconds."""
    absent = [name for name in view.join_keys if keys[name] is None]
    if absent:
        return Lack(
            Why.UNKEYED, f"neither the features nor the entity_id of the request tell {', '.join(absent)}"
        )
    if known_at is None:
        return Lack(Why.UNSEEN, f"{view.name} has never seen {_entity(view, keys)}")
    if view.ttl_s is not None and now - known_at > view.ttl_s:
        return Lack(
            Why.STALE,
            f"what {view.name} has of {_entity(view, keys)} is {now - known_at:.0f} s old, and may be "
            f"{view.ttl_s:g} s",
        )
    return None


def _entity(view: View, keys: Mapping[str, Key | None]) -> str:
    return ", ".join(f"{name} {str(keys[name])[:64]!r}" for name in view.join_keys)
