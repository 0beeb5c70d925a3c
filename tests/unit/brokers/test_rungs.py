import pytest

from ekiben_bus.brokers.errors import NoBrokerError
from ekiben_bus.brokers.rungs import BrokerSettings, Rung, WhyNot, choose, climb, why_not_external
from ekiben_bus.settings import KafkaSettings


def holds() -> None:
    return None


def does_not(reason: str) -> WhyNot:
    return lambda: reason


def must_not_be_asked() -> str | None:
    raise AssertionError("a rung below the one that holds was asked")


def test_the_first_rung_that_holds_is_taken_and_no_lower_one_is_asked():
    choice = climb(
        None,
        {Rung.EXTERNAL: holds, Rung.CONTAINERS: must_not_be_asked, Rung.EMBEDDED: must_not_be_asked},
    )
    assert choice.rung is Rung.EXTERNAL
    assert choice.skipped == ()


def test_each_rung_that_is_passed_keeps_its_reason_in_order():
    choice = climb(
        None,
        {Rung.EXTERNAL: does_not("unset"), Rung.CONTAINERS: does_not("no engine"), Rung.EMBEDDED: holds},
    )
    assert choice.rung is Rung.EMBEDDED
    assert list(map(str, choice.skipped)) == ["external: unset", "containers: no engine"]


def test_a_forced_rung_is_taken_although_a_better_one_holds():
    choice = climb(Rung.EMBEDDED, {Rung.EXTERNAL: must_not_be_asked, Rung.EMBEDDED: holds})
    assert choice.rung is Rung.EMBEDDED
    assert choice.skipped == ()


def test_a_forced_rung_that_does_not_hold_is_an_error_and_no_other_serves():
    with pytest.raises(
        NoBrokerError, match=r"EKIBEN_BROKER=containers asks for, found none\. containers: no engine"
    ):
        climb(Rung.CONTAINERS, {Rung.CONTAINERS: does_not("no engine"), Rung.EMBEDDED: must_not_be_asked})


def test_where_nothing_holds_the_error_gives_every_reason():
    with pytest.raises(NoBrokerError) as caught:
        climb(None, {rung: does_not(f"reason of {rung}") for rung in Rung})
    for rung in Rung:
        assert f"{rung}: reason of {rung}" in str(caught.value)


def test_a_cluster_counts_only_when_somebody_named_it(monkeypatch):
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    assert why_not_external(KafkaSettings()) == "KAFKA_BOOTSTRAP_SERVERS is not set"
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "kafka.example:9092")
    assert why_not_external(KafkaSettings()) is None


def test_a_named_cluster_is_better_than_a_container(monkeypatch):
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "kafka.example:9092")
    monkeypatch.delenv("EKIBEN_BROKER", raising=False)
    assert choose(BrokerSettings(), KafkaSettings()).rung is Rung.EXTERNAL


def test_an_engine_that_does_not_answer_is_passed_with_its_reason(monkeypatch, tmp_path):
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    monkeypatch.delenv("EKIBEN_BROKER", raising=False)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    choice = choose(BrokerSettings(), KafkaSettings())
    assert choice.rung is Rung.EMBEDDED
    assert choice.skipped[1].rung is Rung.CONTAINERS
    assert "no Docker engine answers" in choice.skipped[1].reason


def test_who_forces_containers_without_an_engine_is_told_so(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    with pytest.raises(NoBrokerError, match="no Docker engine answers"):
        choose(BrokerSettings(broker=Rung.CONTAINERS), KafkaSettings())


def test_the_rung_and_the_image_are_settings(monkeypatch):
    monkeypatch.setenv("EKIBEN_BROKER", "containers")
    monkeypatch.setenv("EKIBEN_KAFKA_IMAGE", "ekiben/kafka:4.3.0")
    settings = BrokerSettings()
    assert settings.broker is Rung.CONTAINERS
    assert settings.kafka_image == "ekiben/kafka:4.3.0"
