"""One row, asked as a batch of one."""

from __future__ import annotations

from ekiben_serving.errors import BadRequestError
from ekiben_serving.model_client import Features, ModelClient, ModelOutput
from ekiben_serving.validation import RowError


async def predict_one(
    client: ModelClient, model: str, where: str, entity_id: str, features: Features, time_horizon: str
) -> ModelOutput:
    """See ModelClient.predict: a signature may have columns named entity_id and time_horizon.

    Raises:
        BadRequestError: the row breaks the signature of the model.
    """
    row = {"entity_id": entity_id, "time_horizon": time_horizon, **features}
    (output,) = await client.predict_batch([row])
    if isinstance(output, RowError):
        raise BadRequestError(model, where, f"entity {entity_id}: {output.message}")
    return output
