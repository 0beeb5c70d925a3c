"""What the server says of itself and of its models."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Final

from ekiben_inference_gateway.http.predicting import ServedModel
from ekiben_inference_gateway.http.v2.datatypes import OF_FEATURE
from ekiben_inference_gateway.http.v2.outputs import LABEL, PREDICTION, PROBABILITIES, outputs_of

NAME: Final = "ekiben-inference-gateway"
PLATFORM: Final = "bentoml_bento"
_ANY: Final = -1


def server_metadata() -> dict[str, object]:
    """Who answers, and which extensions it speaks."""
    return {"name": NAME, "version": version(NAME), "extensions": ["binary_tensor_data"]}


def model_metadata(model: ServedModel) -> dict[str, object]:
    """The tensors of a model; its inputs are those of the version that takes the traffic left over."""
    signature = model.choices[-1].signature
    inputs = [_tensor(spec.name, OF_FEATURE[spec.dtype]) for spec in signature]
    optional = [spec.name for spec in signature if not spec.required]
    return {
        "name": model.name,
        "versions": [choice.endpoint.version for choice in model.choices],
        "platform": PLATFORM,
        "inputs": inputs,
        "outputs": _outputs(model),
        "properties": {
            **({"problem_type": model.problem_type.value} if model.problem_type else {}),
            **({"classes": json.dumps(list(model.classes))} if model.classes else {}),
            **({"optional_inputs": json.dumps(optional)} if optional else {}),
        },
    }


def _outputs(model: ServedModel) -> list[dict[str, object]]:
    tensors = {
        PREDICTION: _tensor(PREDICTION, "FP64"),
        LABEL: _tensor(LABEL, "BYTES"),
        PROBABILITIES: _tensor(PROBABILITIES, "FP64", len(model.classes) or _ANY),
    }
    names = (PREDICTION,) if model.problem_type is None else outputs_of(model.problem_type)
    return [tensors[name] for name in names]


def _tensor(name: str, datatype: str, *columns: int) -> dict[str, object]:
    return {"name": name, "datatype": datatype, "shape": [_ANY, *columns]}
