"""What moved the outputs of one request, where it asked for that: attributions, or why there are none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Explanations(NamedTuple):
    """By model: the attribution of each feature, in units of the output's value; and why one has none."""

    attributions: Mapping[str, Mapping[str, float]]
    reasons: Mapping[str, str]


def told(
    found: Explanations | None,
) -> tuple[dict[str, dict[str, float]] | None, dict[str, str] | None]:
    """As ModelsScored tells them, and why there are none: null where nobody asked."""
    if found is None:
        return None, None
    attributions = {model: dict(of) for model, of in found.attributions.items()}
    return attributions or None, dict(found.reasons) or None
