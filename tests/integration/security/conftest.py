"""One secured broker for all tests here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from integration.security.secure_kafka import SecureKafka, secure_kafka_in


@pytest.fixture(scope="session")
def secure_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    """An embedded broker that refuses strangers, with a login for every principal."""
    with secure_kafka_in(tmp_path_factory.mktemp("secure-kafka")) as running:
        yield running
