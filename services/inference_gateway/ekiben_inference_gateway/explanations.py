"""What moved the outputs of one request, where it asked for that: attributions, or why there are none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Explanations(NamedTuple):
    """By model: the attribution of each feature, in units of the output's value; and why one has none."""

    attributions: Mapping[str, Mapping[str, float]]
    reasons: Mapping[str, str]


def explanation_fields(found: Explanations | None) -> dict[str, object]:
    """The fields of ModelsScored that hold them: null where nobody asked."""
    if found is None:
        return {"explanations": None, "unexplained": None}
    return {"explanations": dict(found.attributions) or None, "unexplained": dict(found.reasons) or None}
