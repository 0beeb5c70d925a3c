"""The Node project that reads what Ekiben writes, with none of its code."""

from pathlib import Path

import pytest

from integration.documents.node_project import NodeProject, project

_SOURCE = Path(__file__).parent / "node"


@pytest.fixture(scope="session")
def node(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> NodeProject:
    """Ready to run; the first time it takes npm a few seconds."""
    cache = pytestconfig.cache.mkdir("node")
    return project(_SOURCE, cache, tmp_path_factory.mktemp("node"))
