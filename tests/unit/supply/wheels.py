"""A wheel of next to nothing, in a folder that stands for a registry."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path


def tiny_wheel(folder: Path, name: str = "tiny", version: str = "1.0") -> str:
    """Write it; its SHA-256."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": "HERE = True\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    listed = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for inside, text in {**files, f"{info}/RECORD": listed}.items():
            wheel.writestr(zipfile.ZipInfo(inside), text)
    return hashlib.sha256(path.read_bytes()).hexdigest()
