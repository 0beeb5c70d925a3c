"""`make lock`: requirements.lock and one lock of each bundle, all from one resolution.

What is pinned stays at its version while it still fits; only `--upgrade` resolves anew. The work is
done in a scratch copy: uv.lock, which names a registry, never lies in the repository.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from scripts.supply.bundles import BUILD, BUNDLES, LOCKS, ROOT, WHOLE
from scripts.supply.locked import Pin, read_lock
from scripts.supply.workspace import members

UV = str(Path(sys.executable).with_name("uv"))
HEADER = "# Written by `make lock`; every package with its version and the SHA-256 of each of its files.\n"


def constraints(pins: Sequence[Pin]) -> list[str]:
    """What is pinned now, for the resolver; what has several versions is split by it anew."""
    versions = Counter(pin.name for pin in pins)
    return [str(pin) for pin in pins if versions[pin.name] == 1]


def constrained(pyproject: str, pins: Sequence[Pin]) -> str:
    """The workspace's pyproject.toml, with what is pinned now as constraints."""
    listed = json.dumps(constraints(pins), indent=4)
    return pyproject.replace("[tool.uv]\n", f"[tool.uv]\nconstraint-dependencies = {listed}\n", 1)


def relock(*, upgrade: bool) -> None:
    """Write every lock anew."""
    kept = () if upgrade or not WHOLE.exists() else read_lock(WHOLE)
    with tempfile.TemporaryDirectory(prefix="locking-") as scratch:
        copy = Path(scratch)
        for member in members().values():
            (copy / member.relative_to(ROOT)).mkdir(parents=True)
            shutil.copy(member / "pyproject.toml", copy / member.relative_to(ROOT))
        (copy / "pyproject.toml").write_text(
            constrained((ROOT / "pyproject.toml").read_text("utf-8"), kept), "utf-8"
        )
        _uv(copy, "lock", "--quiet")
        _export(copy, WHOLE, ["--all-packages", "--all-extras", "--all-groups"])
        _export(copy, LOCKS / f"{BUILD}.lock", ["--only-group", BUILD])
        for bundle in BUNDLES:
            extras = [word for extra in bundle.extras for word in ("--extra", extra)]
            _export(copy, bundle.lock, ["--package", bundle.distribution, "--no-dev", *extras])


def _export(folder: Path, to: Path, options: Sequence[str]) -> None:
    _uv(folder, "export", "--quiet", "--frozen", "--no-header", "--no-emit-workspace", *options, "-o", "out")
    to.write_text(HEADER + (folder / "out").read_text("utf-8"), "utf-8")


def _uv(folder: Path, *arguments: str) -> None:
    subprocess.run([UV, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
