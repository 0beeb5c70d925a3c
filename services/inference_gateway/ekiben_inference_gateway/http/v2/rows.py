"""From tensors to rows of features: one tensor for each feature, or one matrix of all columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Final, NamedTuple

from ekiben_contracts.models import FeatureSpec
from ekiben_inference_gateway.http.v2.columns import refuse_wide, texts_of, values_of
from ekiben_inference_gateway.http.v2.datatypes import OF_FEATURE, is_number, takes
from ekiben_inference_gateway.http.v2.refused import RefusedError, dimensions, shortly
from ekiben_inference_gateway.http.v2.tensors import Tensor
from ekiben_serving.model_client import Features
from ekiben_serving.specs import FeatureValue

REQUEST_ID: Final = "request_id"
ENTITY_ID: Final = "entity_id"
_MOST_NAMES: Final = 8


class Rows(NamedTuple):
    """Features row by row, and who each row is about and which request it is, where tensors tell that."""

    features: Sequence[Features]
    entity_ids: Sequence[str] | None
    request_ids: Sequence[str] | None


def rows_of(tensors: Sequence[Tensor], signature: Sequence[FeatureSpec]) -> Rows:
    """The rows that tensors hold. What the signature does not have is left to the model's own check.

    Raises:
        RefusedError: the tensors disagree, or do not fit the signature.
    """
    specs = {spec.name: spec for spec in signature}
    named = _by_name(tensors)
    identity = {
        name: named.pop(name) for name in (ENTITY_ID, REQUEST_ID) if name in named and name not in specs
    }
    _refuse_unlike(tensors)
    ids = {name: texts_of(tensor) for name, tensor in identity.items()}
    matrix = _matrix(named, specs)
    columns = _split(matrix, signature) if matrix is not None else _columns(named, specs)
    if not columns and not (specs and ENTITY_ID in ids):  # a feature store may have all of that entity
        raise RefusedError(f"expected inputs for {_names(specs)}, found none of features")
    names = list(columns)
    values = zip(*columns.values(), strict=True) if columns else repeat((), tensors[0].shape[0])
    features = [dict(zip(names, row, strict=True)) for row in values]
    return Rows(features, ids.get(ENTITY_ID), ids.get(REQUEST_ID))


def _by_name(tensors: Sequence[Tensor]) -> dict[str, Tensor]:
    named = {tensor.name: tensor for tensor in tensors}
    if len(named) != len(tensors):
        twice = next(one.name for one in tensors if named[one.name] is not one)
        raise RefusedError(f"expected each input once, found {shortly(twice)} twice")
    return named


def _refuse_unlike(tensors: Sequence[Tensor]) -> None:
    first = tensors[0]
    for tensor in tensors:
        if tensor.shape[0] != first.shape[0]:
            raise RefusedError(
                f"expected as many rows in each input, found {first.shape[0]} in {shortly(first.name)} and "
                f"{tensor.shape[0]} in {shortly(tensor.name)}"
            )


def _matrix(named: Mapping[str, Tensor], specs: Mapping[str, FeatureSpec]) -> Tensor | None:
    """The tensor of all columns: alone, of two dimensions, and named like none of the features."""
    if len(named) != 1:
        return None
    ((name, tensor),) = named.items()
    return None if name in specs or len(tensor.shape) == 1 else tensor


def _split(matrix: Tensor, signature: Sequence[FeatureSpec]) -> dict[str, list[FeatureValue]]:
    others = [spec for spec in signature if not is_number(OF_FEATURE[spec.dtype])]
    if not signature or others or not is_number(matrix.datatype):
        why = (
            f"its feature {others[0].name} is {others[0].dtype}"
            if others
            else f"it is {matrix.datatype}"
            if signature
            else "its route tells no features"
        )
        raise RefusedError(
            f"input {shortly(matrix.name)}: expected a tensor for each feature, found one for all, and {why}."
            f" Send inputs {_names({spec.name: spec for spec in signature})}, each [rows]"
        )
    if matrix.shape[1] != len(signature):
        raise RefusedError(
            f"input {shortly(matrix.name)}: expected a shape [rows, {len(signature)}], the features in the "
            f"order of the metadata, found {dimensions(list(matrix.shape))}"
        )
    columns = matrix.values.reshape(matrix.shape).T
    return {
        spec.name: values_of(matrix.name, column) for spec, column in zip(signature, columns, strict=True)
    }


def _columns(named: Mapping[str, Tensor], specs: Mapping[str, FeatureSpec]) -> dict[str, list[FeatureValue]]:
    for name, tensor in named.items():
        refuse_wide(tensor)
        spec = specs.get(name)
        if spec is not None and not takes(spec.dtype, tensor.datatype):
            raise RefusedError(
                f"input {shortly(name)}: expected {OF_FEATURE[spec.dtype]} for a feature of dtype "
                f"{spec.dtype}, found {tensor.datatype}"
            )
    return {name: values_of(name, tensor.values) for name, tensor in named.items()}


def _names(specs: Mapping[str, FeatureSpec]) -> str:
    names = list(specs)
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more or "its features"
