import os

import pytest

from ekiben_bus.brokers.ladder import broker
from ekiben_bus.brokers.probe import alive_brokers
from ekiben_bus.brokers.rungs import BrokerSettings, Rung
from ekiben_bus.settings import KafkaSettings


@pytest.mark.kafka
def test_the_broker_that_the_ladder_found_answers(kafka):
    host, _, port = kafka.bootstrap_servers.partition(",")[0].rpartition(":")
    assert alive_brokers(host, int(port)) >= 1


@pytest.mark.kafka
def test_the_rung_that_was_forced_serves(kafka):
    assert kafka.rung == os.environ.get("EKIBEN_BROKER", kafka.rung)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def own(home):
    """Our own broker, where the environment holds the login of another."""
    elsewhere = KafkaSettings(security_protocol="SASL_SSL", sasl_username="anna", sasl_password="secret")
    with broker(home, settings=BrokerSettings(broker=Rung.EMBEDDED), kafka=elsewhere) as found:
        yield found


def test_the_embedded_broker_keeps_its_data_and_its_log_in_its_home(own, home):
    assert (home / "logs" / "kafka.log").exists()
    assert (home / "kafka" / "node-1" / "meta.properties").exists()


def test_our_own_broker_is_reached_without_the_login_of_another(own):
    assert own.settings.security_protocol == "PLAINTEXT"


def test_an_external_cluster_is_taken_as_it_is_named_login_and_all():
    named = KafkaSettings(bootstrap_servers="kafka.example:9092", security_protocol="SASL_SSL")
    with broker(None, settings=BrokerSettings(broker=None), kafka=named) as found:
        assert (found.rung, found.settings) == (Rung.EXTERNAL, named)
