"""The Node project that reads what Ekiben writes, with none of its code."""

import pytest

from integration.documents.node_project import NodeProject, project


@pytest.fixture(scope="session")
def node(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> NodeProject:
    """Ready to run; the first time it takes npm a few seconds."""
    return project(pytestconfig.cache.mkdir("node"), tmp_path_factory.mktemp("node"))
