"""The trees as a runtime of MLServer: copied beside its model settings, and imported by it alone."""

# pyright: reportMissingImports=false, reportUntypedBaseClass=false

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Trees(MLModel):
    """Predicts the probability of the last class for each row of its one input."""

    async def load(self) -> bool:
        """Read the model."""
        model = Path(self.settings.parameters.uri)
        fitted = pickle.loads(model.read_bytes())  # noqa: ASYNC240, S301 - our own, and before any request
        del fitted.feature_names_in_
        self._predict = fitted.predict_proba
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """One number a row."""
        rows = NumpyCodec.decode_input(payload.inputs[0])
        answer = self._predict(rows)[:, 1].astype(np.float32).reshape(-1, 1)
        return InferenceResponse(
            id=payload.id,
            model_name=self.name,
            outputs=[NumpyCodec.encode_output("prediction", answer)],
        )
