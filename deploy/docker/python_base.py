"""A base image out of nothing, with what is taken of python:3.11-slim: Python at /usr/local, and no shell.

    python -m deploy.docker.python_base [ekiben/python:3.11]

It is the Python that runs this, with the shared libraries of this machine that it asks for and this
machine's certificates. Its pip.conf stays where it is: the credentials of an index may be in it.
"""

from __future__ import annotations

import platform
import sys
import sysconfig
from pathlib import Path

from deploy.docker.packing import Root, import_image, libraries

MAJOR_MINOR = f"python{sys.version_info.major}.{sys.version_info.minor}"
LEFT_OUT = {
    "site-packages",
    "dist-packages",
    "test",
    "idlelib",
    "tkinter",
    "turtledemo",
    "lib2to3",
    "__pycache__",
}
# found by the loader without a cache of its own
LIBRARIES = f"/usr/lib/{platform.machine()}-linux-gnu"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
ENVIRONMENT = {"PATH": "/usr/local/bin", "LANG": "C.UTF-8"}


def pack(root: Root) -> None:
    """Everything that the image holds."""
    root.folder("/tmp", mode=0o1777)  # noqa: S108 - the image's own
    for folder in ("/proc", "/sys", "/dev", "/root", "/etc"):
        root.folder(folder)
    root.text("/etc/passwd", "root:x:0:0::/root:/sbin/nologin\n")
    root.text("/etc/group", "root:x:0:\n")
    root.text("/etc/nsswitch.conf", "hosts: files dns\n")
    if CERTIFICATES.exists():
        root.copy(CERTIFICATES, str(CERTIFICATES))
    binary, standard = Path(sys._base_executable), Path(sysconfig.get_path("stdlib"))  # type: ignore[attr-defined] # noqa: SLF001
    root.copy(binary, f"/usr/local/bin/{MAJOR_MINOR}")
    for name in ("python3", "python"):
        root.link(f"/usr/local/bin/{name}", MAJOR_MINOR)
    root.copy(standard, f"/usr/local/lib/{MAJOR_MINOR}", leave_out=LEFT_OUT)
    native = [path for path in standard.glob("lib-dynload/*.so") if not path.name.startswith("_tkinter")]
    for library in sorted(set(libraries([binary, *native], besides=standard))):
        at = library if library.startswith("/lib64/") else f"{LIBRARIES}/{Path(library).name}"
        root.copy(Path(library), at)


def build(image: str) -> str:
    """Pack and import; the image."""
    return import_image(image, pack, [f"ENV {name}={value}" for name, value in ENVIRONMENT.items()])


if __name__ == "__main__":
    print(build(sys.argv[1] if len(sys.argv) > 1 else f"ekiben/{MAJOR_MINOR.replace('python', 'python:')}"))
