"""What the rows were answered, as tensors: prediction, and of a classifier label and probabilities."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from ekiben_contracts.models import ProblemType
from ekiben_contracts.prediction import Output
from ekiben_inference_gateway.http.v2.binary_data import as_objects
from ekiben_inference_gateway.http.v2.datatypes import Array
from ekiben_inference_gateway.http.v2.messages import WantedOutput
from ekiben_inference_gateway.http.v2.refused import RefusedError, shortly
from ekiben_inference_gateway.scoring import Scored

PREDICTION: Final = "prediction"
LABEL: Final = "label"
PROBABILITIES: Final = "probabilities"
OF_CLASSIFIERS: Final = (PREDICTION, LABEL, PROBABILITIES)
ON_REQUEST: Final = ("request_id", "model_version")
"""Of each row. Whoever asks for no outputs by name gets what the model answers, and not these."""


class OutputTensor(NamedTuple):
    """A tensor of the answer; `values` are flat. `classes` are what the columns of probabilities mean."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    values: Array
    classes: Sequence[str] = ()

    @property
    def parameters(self) -> dict[str, str]:
        """A parameter is a text, a number or a truth: classes are JSON in a text."""
        return {"classes": json.dumps(list(self.classes))} if self.classes else {}


def outputs_of(problem_type: ProblemType | None) -> Sequence[str]:
    """What a model may answer. One that nobody tells the problem type of may be a classifier."""
    return OF_CLASSIFIERS if problem_type in (None, ProblemType.CLASSIFICATION) else (PREDICTION,)


def check_wanted(wanted: Sequence[WantedOutput], problem_type: ProblemType | None) -> None:
    """Refuse, before any model is asked, what it will not answer.

    Raises:
        RefusedError: it has no such output, or the output is wanted in a form that there is not.
    """
    known = (*outputs_of(problem_type), *ON_REQUEST)
    for one in wanted:
        if one.name not in known:
            raise _no_such_output(one.name, known)
        if one.parameters.classification is not None:
            raise RefusedError(
                f"output {one.name}: expected no classification, found "
                f"{shortly(one.parameters.classification)}; take the best of {LABEL} and {PROBABILITIES}"
            )
    names = [one.name for one in wanted]
    if len(set(names)) != len(names):
        raise RefusedError(f"expected each output once, found {', '.join(names)}")


def tensors_of(scored: Sequence[Scored], classes: Sequence[str]) -> dict[str, OutputTensor]:
    """Every tensor of the answers, by name. Classes stand in this order, others that appear behind them."""
    outputs = [one.outputs[0] for one in scored]
    rows = (len(outputs),)
    tensors = [OutputTensor(PREDICTION, "FP64", rows, np.array([one.value for one in outputs], "<f8"))]
    labels = [one.label for one in outputs if one.label is not None]
    if len(labels) == len(outputs):
        tensors.append(OutputTensor(LABEL, "BYTES", rows, as_objects(labels)))
    probabilities = [one.probabilities for one in outputs if one.probabilities is not None]
    if len(probabilities) == len(outputs):
        tensors.append(_probabilities(probabilities, classes))
    asides = ([one.asked.request.id for one in scored], [one.version for one in outputs])
    tensors += [
        OutputTensor(name, "BYTES", rows, as_objects(texts))
        for name, texts in zip(ON_REQUEST, asides, strict=True)
    ]
    return {tensor.name: tensor for tensor in tensors}


def version_of(outputs: Sequence[Output]) -> str | None:
    """The version that answered all rows; None where several did, as during a canary."""
    versions = {one.version for one in outputs}
    return versions.pop() if len(versions) == 1 else None


def select(
    tensors: dict[str, OutputTensor], wanted: Sequence[WantedOutput], *, binary: bool
) -> list[tuple[OutputTensor, bool]]:
    """The tensors that are wanted, in that order, and whether each is wanted as binary.

    Raises:
        RefusedError: the model did not answer one.
    """
    if not wanted:
        return [(tensor, binary) for name, tensor in tensors.items() if name not in ON_REQUEST]
    for one in wanted:
        if one.name not in tensors:
            raise _no_such_output(one.name, list(tensors))
    asked = ((tensors[one.name], one.parameters.binary_data) for one in wanted)
    return [(tensor, binary if as_binary is None else as_binary) for tensor, as_binary in asked]


def _probabilities(rows: Sequence[dict[str, float]], classes: Sequence[str]) -> OutputTensor:
    """A version that does not know a class of another gives it none of its probability."""
    every = list(dict.fromkeys([*classes, *(name for row in rows for name in row)]))
    values = np.array([[row.get(name, 0.0) for name in every] for row in rows], "<f8")
    return OutputTensor(PROBABILITIES, "FP64", (len(rows), len(every)), values.reshape(-1), every)


def _no_such_output(name: str, known: Sequence[str]) -> RefusedError:
    return RefusedError(f"expected outputs of {', '.join(known)}, found {shortly(name)}")
