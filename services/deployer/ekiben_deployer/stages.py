"""The stages of a model version, as data: which may follow which, and which way a strategy goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import pairwise

from ekiben_contracts.deployment import Strategy


class Stage(StrEnum):
    """Where a version is in its life. The names are MLflow's, and Shadow."""

    NONE = "None"
    STAGING = "Staging"
    SHADOW = "Shadow"
    PRODUCTION = "Production"
    ARCHIVED = "Archived"


STRICT = "production"
"""The environment in which no stage is skipped."""

TRANSITIONS: Mapping[Stage, frozenset[Stage]] = {
    Stage.NONE: frozenset({Stage.STAGING}),
    Stage.STAGING: frozenset({Stage.SHADOW, Stage.ARCHIVED}),
    Stage.SHADOW: frozenset({Stage.PRODUCTION, Stage.ARCHIVED}),
    Stage.PRODUCTION: frozenset({Stage.ARCHIVED}),
    Stage.ARCHIVED: frozenset({Stage.PRODUCTION}),  # a rollback: it was there before
}

SHORTCUTS: frozenset[tuple[Stage, Stage]] = frozenset({(Stage.STAGING, Stage.PRODUCTION)})
"""Allowed where the environment is not strict."""

PATHS: Mapping[Strategy, Sequence[Stage]] = {
    Strategy.DIRECT: (Stage.NONE, Stage.STAGING, Stage.PRODUCTION),
    Strategy.SHADOW: (Stage.NONE, Stage.STAGING, Stage.SHADOW),
}


def skipped(strategy: Strategy, environment: str) -> str | None:
    """The transition of a strategy that skips a stage which an environment wants. None: it skips none."""
    for before, after in pairwise(PATHS[strategy]):
        allowed = after in TRANSITIONS[before] or (environment != STRICT and (before, after) in SHORTCUTS)
        if not allowed:
            return f"{strategy} goes from {before} to {after}, and {environment} skips no stage"
    return None
