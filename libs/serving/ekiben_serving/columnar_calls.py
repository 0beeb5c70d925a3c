"""What a model that is asked in columns can be asked for: predictions, or what moved them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from ekiben_serving.answers import explanations_of, outputs_of
from ekiben_serving.columnar import (
    ANSWER_TYPE,
    EXPLANATION_TYPE,
    Answer,
    Explained,
    decode_answer,
    decode_explanation,
)
from ekiben_serving.model_client import Explanation, ModelOutput
from ekiben_serving.validation import RowError


class Identified(Protocol):
    """An answer that says which version of which model gave it."""

    @property
    def model(self) -> str: ...
    @property
    def version(self) -> str: ...


A = TypeVar("A", bound=Identified)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ColumnarCall(Generic[A, T]):
    """One kind of call: where it goes, how many rows it takes, and what its answer says of each row.

    One that `is_aside` has a circuit breaker of its own, and its model is told how long it is waited for.
    """

    path: str
    answer_type: str
    most_rows: int
    decode: Callable[[bytes, int], A]
    of_rows: Callable[[A, float], list[T | RowError]]
    is_aside: bool = False


PREDICT: Final[ColumnarCall[Answer, ModelOutput]] = ColumnarCall(
    "/columns", ANSWER_TYPE, 1024, decode_answer, outputs_of
)
EXPLAIN: Final[ColumnarCall[Explained, Explanation]] = ColumnarCall(
    "/explain_columns", EXPLANATION_TYPE, 64, decode_explanation, explanations_of, is_aside=True
)
