"""One inference: from the bytes of its body to the bytes of its answer, with the models asked between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import repeat

from pydantic import ValidationError

from ekiben_contracts.errors import describe
from ekiben_contracts.prediction import PredictionRequested
from ekiben_contracts.sensitive import marks
from ekiben_inference_gateway.http.predicting import Predictor, ServedModel
from ekiben_inference_gateway.http.v2.outputs import check_wanted, select, tensors_of, version_of
from ekiben_inference_gateway.http.v2.problems import every_row
from ekiben_inference_gateway.http.v2.refused import RefusedError
from ekiben_inference_gateway.http.v2.requests import Inference
from ekiben_inference_gateway.http.v2.responses import Encoded, encode
from ekiben_inference_gateway.http.v2.rows import Rows, rows_of

Ids = Callable[[], str]


def read_rows(asked: Inference, model: ServedModel, most_features: int) -> Rows:
    """The rows that are asked about.

    Raises:
        RefusedError: the tensors do not fit the model, or it has no such outputs.
    """
    check_wanted(asked.outputs, model.problem_type)
    rows = rows_of(asked.tensors, model.choices[-1].signature)
    if (found := len(rows.features[0])) > most_features:
        raise RefusedError(f"expected at most {most_features} features, found {found}")
    return rows


def requests_of(rows: Rows, model: str, about: str) -> list[PredictionRequested]:
    """A request for each row; `about` stands where an entity_id has to, in rows that name none.

    Raises:
        RefusedError: an id is too long, or a text is none.
    """
    entities, ids = rows.entity_ids or repeat(about), rows.request_ids or repeat(None)
    found: list[PredictionRequested] = []
    for features, entity, request_id in zip(rows.features, entities, ids, strict=False):
        try:
            found.append(
                PredictionRequested(
                    model=model, entity_id=entity, features=dict(features), request_id=request_id
                )
            )
        except ValidationError as error:
            raise RefusedError(f"row {len(found)}: {describe(error, marks(PredictionRequested))}") from None
    return found


async def infer(
    asked: Inference,
    requests: Sequence[PredictionRequested],
    model: ServedModel,
    version: str | None,
    predictor: Predictor,
    *,
    names_entity: bool,
) -> Encoded:
    """Ask about every row, and answer with the outputs that are wanted. `names_entity`: see Predictor.

    Raises:
        ProblemError: a row was refused.
        BusyError: too much is waiting already.
        RefusedError: the model answered without an output that is wanted.
    """
    scored = every_row(await predictor.predict(requests, version=version, names_entity=names_entity))
    tensors = select(tensors_of(scored, model.classes), asked.outputs, binary=asked.binary_output)
    answered_by = version_of([one.outputs[0] for one in scored])
    return encode(model.name, answered_by, asked.id, tensors)
