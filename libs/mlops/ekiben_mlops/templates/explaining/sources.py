"""Which input column each column comes from that a fitted preprocessing step puts out. Pure.

Only where every output comes of one input, and that is certain: otherwise None, and a model is explained
from the outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

Sources = list[int]


def sources_of(step: Any, inputs: Sequence[str]) -> Sources | None:
    """For each output of a step its input, as an index into `inputs`."""
    if _is_one_to_one(step):
        return list(range(len(inputs)))
    match step:
        case Pipeline():
            return _of_pipeline([each for _, each in step.steps], inputs)
        case ColumnTransformer():
            return _of_columns(step, inputs)
        case OneHotEncoder():
            return _of_one_hot(step)
        case SimpleImputer():
            return _of_imputer(step, inputs)
        case _:
            return None


def _is_one_to_one(step: Any) -> bool:
    """What a ColumnTransformer passes through has become a FunctionTransformer without a function."""
    if isinstance(step, FunctionTransformer):
        return step.func is None
    if step is None or isinstance(step, str):
        return step in (None, "passthrough")
    return isinstance(step, OneToOneFeatureMixin)  # scalers, power transforms, ordinal codes


def _of_pipeline(steps: Sequence[Any], inputs: Sequence[str]) -> Sources | None:
    found: Sources = list(range(len(inputs)))
    for step in steps:
        of_step = sources_of(step, [inputs[source] for source in found])
        if of_step is None:
            return None
        found = [found[source] for source in of_step]
    return found


def _of_columns(step: ColumnTransformer, inputs: Sequence[str]) -> Sources | None:
    """Each transformer's outputs stand where `output_indices_` says."""
    places = {name: place for place, name in enumerate(inputs)}
    outputs: dict[int, int] = {}
    for name, transformer, columns in step.transformers_:
        where = step.output_indices_[name]
        if where.stop == where.start:
            continue
        named = _names(columns, inputs)
        found = None if named is None else sources_of(transformer, named)
        if found is None or named is None or len(found) != where.stop - where.start:
            return None
        outputs.update(
            zip(range(where.start, where.stop), (places[named[one]] for one in found), strict=True)
        )
    return [outputs[output] for output in sorted(outputs)] if len(outputs) == _width(step) else None


def _width(step: ColumnTransformer) -> int:
    return max((where.stop for where in step.output_indices_.values()), default=0)


def _names(columns: Any, inputs: Sequence[str]) -> list[str] | None:
    """The columns of a transformer, which may be told by name, index or mask."""
    if isinstance(columns, slice):
        return [inputs[place] for place in range(len(inputs))[columns]]
    found = np.atleast_1d(np.asarray(columns, dtype=object)).tolist()
    if all(isinstance(one, str) for one in found):
        return found if set(found) <= set(inputs) else None
    if all(isinstance(one, bool) for one in found) and len(found) == len(inputs):
        return [name for name, taken in zip(inputs, found, strict=True) if taken]
    if all(isinstance(one, int) and not isinstance(one, bool) for one in found):
        return [inputs[int(one)] for one in found]
    return None


def _of_one_hot(step: OneHotEncoder) -> Sources:
    """One output a category; all that are rare share one, and one may be dropped."""
    found: Sources = []
    rare = getattr(step, "infrequent_categories_", None) or [None] * len(step.categories_)
    dropped = step.drop_idx_ if step.drop_idx_ is not None else [None] * len(step.categories_)
    for column, (categories, together, without) in enumerate(
        zip(step.categories_, rare, dropped, strict=True)
    ):
        merged = 0 if together is None else len(together) - 1
        found += [column] * (len(categories) - merged - (without is not None))
    return found


def _of_imputer(step: SimpleImputer, inputs: Sequence[str]) -> Sources | None:
    """Every column, then a flag for each that had nulls. A column of nulls alone may be left out."""
    if not step.keep_empty_features and np.isnan(np.asarray(step.statistics_, float)).any():
        return None
    flags = step.indicator_.features_.tolist() if step.indicator_ is not None else []
    return [*range(len(inputs)), *flags]
