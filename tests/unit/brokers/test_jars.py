import hashlib
import re

import pytest

from ekiben_bus.brokers.errors import JarsError
from ekiben_bus.brokers.jars import Jar, cache_folder, kafka_version, locked, resolve

CONTENT = b"as it was when it was locked"


@pytest.fixture
def jar():
    return Jar("org.apache.kafka", "kafka_2.13", "4.3.0", hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def kept(tmp_path, jar):
    """The jar, as an earlier run left it in the cache."""
    folder = tmp_path / "kafka-4.3.0"
    folder.mkdir()
    (folder / jar.filename).write_bytes(CONTENT)
    return folder / jar.filename


def test_every_locked_jar_has_a_sha256():
    jars = locked()
    assert len(jars) > 40
    assert all(re.fullmatch(r"[0-9a-f]{64}", jar.sha256) for jar in jars)


def test_the_lock_holds_apache_kafka_with_something_to_log_by():
    assert kafka_version(locked()) == "4.3.0"
    assert "slf4j-simple" in {jar.artifact for jar in locked()}


def test_what_the_cache_holds_is_not_fetched_again(tmp_path, jar, kept):
    said = []
    assert resolve([jar], tmp_path, said.append) == kept.parent
    assert said == []


def test_a_jar_that_is_not_the_locked_one_is_refused_with_both_sums_and_its_place(tmp_path, jar, kept):
    kept.write_bytes(CONTENT + b", and a little more")
    found = hashlib.sha256(kept.read_bytes()).hexdigest()
    with pytest.raises(JarsError, match=f"expected SHA-256 {jar.sha256}, found {found} at {kept}"):
        resolve([jar], tmp_path)


def test_the_cache_can_be_named(monkeypatch, tmp_path):
    monkeypatch.setenv("EKIBEN_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
