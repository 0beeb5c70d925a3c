"""How the outputs of several models become one prediction.

Classifiers are combined per class over their probabilities, everything else over its values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from msgspec import Struct

from ekiben_contracts.models import Method
from ekiben_contracts.prediction import Output

BINARY = 2


class CombinationError(ValueError):
    """These outputs cannot become one answer the way that was asked. Mend the ensemble's definition."""


class Combined(Struct, frozen=True, gc=False):
    """One answer. `label` and `probabilities` are None unless classifiers gave it."""

    prediction: float
    label: str | None = None
    probabilities: dict[str, float] | None = None

    @property
    def is_binary(self) -> bool:
        return self.probabilities is not None and len(self.probabilities) == BINARY


def shares(
    outputs: Sequence[Output], method: Method, weights: Mapping[str, float] | None
) -> tuple[float, ...]:
    """What part of the answer each output is. They sum to 1, whoever is missing.

    Raises:
        CombinationError: the method is not served, or the weights do not fit the outputs.
    """
    if not outputs:
        raise CombinationError(
            "expected at least one output, found none; see what the gateway named as missing"
        )
    match method:
        case Method.SINGLE if len(outputs) == 1:
            return (1.0,)
        case Method.SINGLE:
            raise CombinationError(
                f"expected one output for the method single, found {len(outputs)}; choose average or weighted"
            )
        case Method.AVERAGE:
            return (1 / len(outputs),) * len(outputs)
        case Method.WEIGHTED:
            return _weighted(outputs, weights or {})
        case _:
            raise CombinationError(
                f"expected the method single, average or weighted, found {method}; define the ensemble so"
            )


def combine(outputs: Sequence[Output], parts: Sequence[float], classes: Sequence[str] | None) -> Combined:
    """The weighted mean of the outputs, `parts` being their shares.

    `classes` is the order of the model's classes: of two, the last is the positive one, whose
    probability is the prediction. Of more, the prediction is the winning class's probability.

    Raises:
        CombinationError: some output has no probabilities, or others' classes.
    """
    if len(outputs) == 1:  # most requests ask one model
        return _alone(outputs[0], classes)
    if all(output.probabilities is None for output in outputs):
        values = [output.value for output in outputs]
        return Combined(_mean(values, parts), _unanimous(outputs))
    order = _class_order(outputs, classes)
    columns = [_probabilities(output, order) for output in outputs]
    return _decided(order, {name: _mean([column[name] for column in columns], parts) for name in order})


def _alone(output: Output, classes: Sequence[str] | None) -> Combined:
    if output.probabilities is None:
        return Combined(output.value, output.label)
    order = _class_order((output,), classes)
    found = _probabilities(output, order)
    return _decided(order, {name: found[name] for name in order})


def _decided(order: Sequence[str], mean: dict[str, float]) -> Combined:
    if len(order) == BINARY:
        other, positive = order
        return Combined(mean[positive], positive if mean[positive] >= mean[other] else other, mean)
    label = max(reversed(order), key=mean.__getitem__)  # a tie goes to the later class
    return Combined(mean[label], label, mean)


def _weighted(outputs: Sequence[Output], weights: Mapping[str, float]) -> tuple[float, ...]:
    unnamed = sorted({output.model for output in outputs} - weights.keys())
    if unnamed:
        raise CombinationError(f"expected a weight for every member, found none for {', '.join(unnamed)}")
    found = [weights[output.model] for output in outputs]
    total = math.fsum(found)
    if min(found) < 0 or total <= 0:
        raise CombinationError(f"expected weights of 0 or more with a sum above 0, found {found}")
    return tuple(weight / total for weight in found)


def _mean(values: Sequence[float], parts: Sequence[float]) -> float:
    """Exact in any order of the members (fsum), and never outside what they said."""
    mean = math.fsum(value * part for value, part in zip(values, parts, strict=True))
    return min(max(mean, min(values)), max(values))


def _class_order(outputs: Sequence[Output], classes: Sequence[str] | None) -> Sequence[str]:
    """As the route says; where it says nothing fitting, as the first model by name sent them."""
    first = outputs[0] if len(outputs) == 1 else min(outputs, key=lambda output: output.model)
    sent = first.probabilities or {}
    return classes if classes is not None and sent.keys() == set(classes) else list(sent)


def _probabilities(output: Output, order: Sequence[str]) -> Mapping[str, float]:
    found = output.probabilities
    if found is None or found.keys() != set(order):
        named = ", ".join(found) if found else "no probabilities"
        raise CombinationError(
            f"expected probabilities of {', '.join(order)} from every member, "
            f"found {named} from {output.model}; an ensemble needs models of the same classes"
        )
    return found


def _unanimous(outputs: Sequence[Output]) -> str | None:
    labels = {output.label for output in outputs}
    return labels.pop() if len(labels) == 1 else None
