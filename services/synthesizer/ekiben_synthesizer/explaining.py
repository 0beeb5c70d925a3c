"""What moved an answer, from what moved the outputs it was combined of. Pure.

The prediction is the mean of the outputs by their shares, and so is its explanation: the attributions of
each member add up to its value less what it expects, those of the mean to the mean of that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ekiben_contracts.prediction import ModelsScored, Output
from ekiben_synthesizer.combining import Combined


def explain(
    scored: ModelsScored, parts: Sequence[float], combined: Combined
) -> tuple[dict[str, float] | None, dict[str, str] | None]:
    """The explanation, and whose is missing from it and why: null where nobody asked.

    Where fewer members explain themselves than answered, it is the mean of those that do.
    """
    if not scored.explanations:
        return None, scored.unexplained
    elsewhere = _about_another_class(scored.outputs, combined)
    reasons = {**(scored.unexplained or {}), **elsewhere}
    explained = [
        (part, scored.explanations[output.model])
        for part, output in zip(parts, scored.outputs, strict=True)
        if output.model in scored.explanations and output.model not in elsewhere
    ]
    return _mean(explained), reasons or None


def _mean(explained: Sequence[tuple[float, Mapping[str, float]]]) -> dict[str, float] | None:
    total = math.fsum(part for part, _ in explained)
    if total <= 0:
        return None
    names = dict.fromkeys(name for _, attributions in explained for name in attributions)
    return {name: math.fsum(part * of.get(name, 0.0) for part, of in explained) / total for name in names}


def _about_another_class(outputs: Sequence[Output], combined: Combined) -> dict[str, str]:
    """Of two classes everybody explains the positive one; of more, each the one that it says itself."""
    if combined.probabilities is None or combined.is_binary:
        return {}
    return {
        output.model: f"it explains {output.label}, and the answer is {combined.label}"
        for output in outputs
        if output.label != combined.label
    }
