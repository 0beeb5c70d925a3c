"""The root of an image's file system, packed out of what this machine has: no image is pulled."""

from __future__ import annotations

import io
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path

import docker

# asked for at run time only: to look names up, and by native code that was built elsewhere
LATE_LIBRARIES = re.compile(
    r"(libstdc\+\+\.so\.6|libgcc_s\.so\.1|libnss_(dns|files)\.so\.2|libresolv\.so\.2"
    r"|lib(pthread|dl|rt|util|m)\.so\.\d) "
)


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

    def copy(self, source: Path, path: str, *, leave_out: Collection[str] = ()) -> None:
        """A file or a whole folder but for what has such a name; a link becomes what it points to."""

        def kept(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
            return None if Path(entry.name).name in leave_out else _by_root(entry)

        self._tar.add(source.resolve(), path, filter=kept)

    @staticmethod
    def _entry(path: str, mode: int, owner: int) -> tarfile.TarInfo:
        entry = tarfile.TarInfo(path)
        entry.mode, entry.uid, entry.gid = mode, owner, owner
        return entry


def _by_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def libraries(binaries: Sequence[Path], *, besides: Path) -> Iterator[str]:
    """The shared libraries of this machine, the loader among them, that these ask for.

    What lies in `besides` comes along with them anyway.
    """
    for line in lines("ldd", *map(str, binaries)):
        named = re.search(r"(?:=> )?(/\S+) \(0x", line)
        if named and not named[1].startswith(str(besides)):
            yield named[1]
    for line in lines("/sbin/ldconfig", "-p"):
        if LATE_LIBRARIES.search(line):
            yield line.rpartition("=> ")[2]


def lines(*command: str) -> Iterable[str]:
    """What a command prints."""
    answer = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return [line.strip() for line in answer.stdout.splitlines()]


def import_image(image: str, pack: Callable[[Root], None], changes: Sequence[str]) -> str:
    """Pack and import, with these instructions of a Dockerfile; what it has become."""
    engine = docker.from_env()
    with tempfile.TemporaryFile() as packed:
        with tarfile.open(fileobj=packed, mode="w") as tar:
            pack(Root(tar))
        packed.seek(0)
        repository, _, tag = image.partition(":")
        engine.api.import_image(src=packed, repository=repository, tag=tag or "latest", changes=list(changes))
    return described(engine, image)


def described(engine: docker.DockerClient, image: str) -> str:
    """Name, id and size of an image."""
    found = engine.images.get(image)
    return f"{image} {found.short_id} {found.attrs['Size'] // 1_000_000} MB"
