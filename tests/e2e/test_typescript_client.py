"""A team that writes TypeScript: every event of a running system is what its JSON Schema says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from integration.documents.node_project import NodeProject, project

_SCHEMAS = Path(__file__).parents[2] / "contracts" / "ekiben_contracts" / "schemas"
_SAID = {
    "ekiben.prediction.requested.v1",
    "ekiben.models.scored.v1",
    "ekiben.prediction.completed.v1",
    "ekiben.prediction.failed.v1",
    "ekiben.model.trained.v1",
    "ekiben.deployment.requested.v1",
    "ekiben.deployment.progressed.v1",
    "ekiben.model.routed.v1",
    "ekiben.ensemble.requested.v1",
    "ekiben.ensemble.defined.v1",
}
"""By the users of this suite and by the services, before anything goes wrong."""


@pytest.fixture(scope="module")
def node(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> NodeProject:
    return project(pytestconfig.cache.mkdir("node"), tmp_path_factory.mktemp("node"))


def test_every_event_of_a_system_is_valid_to_a_client_in_typescript(system, plain, node, fresh):
    requests = {
        f"{fresh}-{model}": {"model": model, "entity_id": "ts", "features": {"x": 2.0, "y": 0.0}}
        for model in ("tiny-keen", "tiny", "nobody")
    }
    for request_id, request in requests.items():
        plain.send({"request_id": request_id, **request}, key="ts")
    answers = plain.results([*requests])
    (node.folder / "asyncapi.json").write_text(system.ekiben("topics", "asyncapi").stdout)

    bootstrap = system.environment["KAFKA_BOOTSTRAP_SERVERS"]
    told = json.loads(node.run("consume.ts", bootstrap, "asyncapi.json", _SCHEMAS))

    by_services = [record for record in told if not record["topic"].endswith(".prediction-requests")]
    assert [record for record in by_services if record["faults"]] == []
    assert {record["type"] for record in told} >= _SAID
    ours = {record["id"] for record in told if record.get("words")}
    assert ours >= {f"{request_id}/result/1" for request_id in answers}
