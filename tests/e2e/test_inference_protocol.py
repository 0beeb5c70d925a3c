"""A v2 client before `ekiben up`: what the deployer deployed is found, described and asked, unchanged."""

from __future__ import annotations

import numpy as np
import pytest
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput

X = np.array([[2.0, 0.0], [-2.0, 1.0]])


@pytest.fixture
def client(system):
    with InferenceServerClient(f"127.0.0.1:{system.environment['EKIBEN_HTTP_PORT']}") as found:
        yield found


def test_a_deployed_model_is_ready_and_tells_its_tensors(client):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("tiny-keen")
    told = client.get_model_metadata("tiny-keen")
    assert told["versions"] == ["1"]
    assert [(one["name"], one["datatype"]) for one in told["inputs"]] == [("x", "FP64"), ("y", "FP64")]


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "JSON"])
@pytest.mark.parametrize("whole", [True, False], ids=["one tensor", "a tensor for each feature"])
def test_a_deployed_model_is_asked(client, binary, whole):
    columns = {"rows": X} if whole else {"x": X[:, 0], "y": X[:, 1]}
    inputs = [
        InferInput(name, list(values.shape), "FP64").set_data_from_numpy(values.copy(), binary_data=binary)
        for name, values in columns.items()
    ]
    names = ("prediction", "label", "probabilities")
    wanted = [InferRequestedOutput(name, binary_data=binary) for name in names]
    answer = client.infer("tiny-keen", inputs, model_version="1", outputs=wanted)
    labels = [text.decode() if binary else text for text in answer.as_numpy("label")]
    assert labels == ["yes", "no"]
    assert answer.as_numpy("prediction")[0] > 0.5 > answer.as_numpy("prediction")[1]
    assert answer.as_numpy("probabilities").sum(axis=1) == pytest.approx(1.0)
