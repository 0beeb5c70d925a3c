"""A login that is refused while a service runs: it says why, goes on trying, and loses nothing."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ekiben import Ekiben
from ekiben_bus.naming import Naming
from ekiben_bus.service import Service
from ekiben_bus.settings import KafkaSettings
from ekiben_bus.topics import apply_topics
from ekiben_contracts.prediction import PredictionRequested
from integration.security.answering import answering, serving, until
from integration.security.secure_kafka import ADMIN, SecureKafka

pytestmark = pytest.mark.kafka
LIFETIME_S = 8.0
"""Of the first token: long enough to get ready with it."""


def by_file(secure: SecureKafka, file: Path) -> KafkaSettings:
    """Log in by the token that a file holds."""
    return secure.oauth(ADMIN).model_copy(
        update={
            "sasl_oauth_token_endpoint": None,
            "sasl_oauth_client_id": None,
            "sasl_oauth_client_secret": None,
            "sasl_oauth_token_file": str(file),
        }
    )


async def test_a_service_whose_token_expires_is_not_ready_says_why_and_goes_on_with_the_next(
    secure_kafka: SecureKafka, tmp_path: Path
):
    prefix, file = f"later-{secrets.token_hex(4)}.", tmp_path / "token"
    others = secure_kafka.mtls(ADMIN)
    await apply_topics(others, Naming(prefix))
    file.write_text(secure_kafka.issuer.token(ADMIN, lifetime_s=LIFETIME_S))
    service = answering(by_file(secure_kafka, file), prefix)

    async with (
        Ekiben(kafka=others, topic_prefix=prefix) as ekiben,
        ekiben.results() as results,
        serving(service),
    ):
        await ekiben.publish_many(requests("before"))
        await until(lambda: not service.is_ready(), "the service to find out that it is refused")
        await until(lambda: "KAFKA_SASL_OAUTH_TOKEN_FILE" in problems(service), "it to say why")
        said = problems(service)
        await ekiben.publish_many(requests("meanwhile"))
        file.write_text(secure_kafka.issuer.token(ADMIN))
        await until(service.is_ready, "the service to get ready again")
        answered = [(await anext(results)).request_id for _ in range(40)]

    assert str(file) in said
    assert "expired" in said
    assert sorted(answered) == sorted(f"{when}-{n}" for when in ("before", "meanwhile") for n in range(20))


def requests(when: str) -> list[PredictionRequested]:
    return [
        PredictionRequested(
            request_id=f"{when}-{n}",
            model="delay",
            entity_id=f"flight-{n}",
            features={"hour": 5.0},
            requested_at=datetime.now(UTC),
        )
        for n in range(20)
    ]


def problems(service: Service) -> str:
    """What /readyz tells."""
    return " ".join(service._problems())
