"""scripts/setup.sh installs nothing whose bytes are not the locked ones: not uv itself, not any package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.supply.bundles import ROOT
from unit.supply.wheels import tiny_wheel

MEMBER = """
[project]
name = "ours"
version = "0.1.0"
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[tool.hatch.build.targets.wheel]
packages = ["ours"]
"""


@dataclass(frozen=True)
class Checkout:
    """A small repository with the real set-up, and a folder for a registry."""

    folder: Path
    sha256: str

    def lock(self, name: str, sha256: str) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"tiny==1.0 --hash=sha256:{sha256}\n", "utf-8")

    def with_uv(self) -> None:
        """As if the first step were done."""
        venv.create(self.folder / ".venv", with_pip=False)
        (self.folder / ".venv/bin/uv").symlink_to(Path(sys.executable).with_name("uv"))

    def set_up(self) -> subprocess.CompletedProcess[str]:
        offline = {
            "PYTHON": sys.executable,
            "PYTHONPATH": sysconfig.get_path("purelib"),  # the hatchling that the lock would bring
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.folder / "registry"),
            "UV_NO_INDEX": "1",
            "UV_FIND_LINKS": str(self.folder / "registry"),
            "UV_CACHE_DIR": str(self.folder / "cache"),
        }
        return subprocess.run(
            ["sh", "scripts/setup.sh"],
            cwd=self.folder,
            env=os.environ | offline,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def installed(self, name: str) -> bool:
        return any((self.folder / ".venv/lib").glob(f"*/site-packages/{name}*"))


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/setup.sh", tmp_path / "scripts")
    (tmp_path / "contracts/ours").mkdir(parents=True)
    (tmp_path / "contracts/ours/__init__.py").write_text("", "utf-8")
    (tmp_path / "contracts/pyproject.toml").write_text(MEMBER, "utf-8")
    (tmp_path / "registry").mkdir()
    made = Checkout(tmp_path, tiny_wheel(tmp_path / "registry"))
    made.lock("locks/build.lock", made.sha256)
    made.lock("requirements.lock", made.sha256)
    return made


def test_what_is_as_locked_is_installed_and_ours_beside_it(checkout: Checkout) -> None:
    checkout.with_uv()
    told = checkout.set_up()
    assert told.returncode == 0, told.stderr
    assert checkout.installed("tiny")
    assert checkout.installed("ours")


def test_a_changed_package_is_refused_and_both_sums_are_named(checkout: Checkout) -> None:
    checkout.with_uv()
    checkout.lock("requirements.lock", "0" * 64)
    told = checkout.set_up()
    assert told.returncode != 0
    assert "0" * 64 in told.stderr
    assert checkout.sha256 in told.stderr
    assert not checkout.installed("tiny")


def test_a_package_without_a_hash_is_refused(checkout: Checkout) -> None:
    checkout.with_uv()
    (checkout.folder / "requirements.lock").write_text("tiny==1.0\n", "utf-8")
    told = checkout.set_up()
    assert told.returncode != 0
    assert "hash" in told.stderr
    assert not checkout.installed("tiny")


def test_an_installer_that_was_changed_is_not_installed_either(checkout: Checkout) -> None:
    checkout.lock("locks/build.lock", "0" * 64)
    told = checkout.set_up()
    assert told.returncode != 0
    assert "0" * 64 in told.stderr
    assert checkout.sha256 in told.stderr
    assert not checkout.installed("tiny")


def test_an_installer_without_a_hash_is_refused(checkout: Checkout) -> None:
    (checkout.folder / "locks/build.lock").write_text("tiny==1.0\n", "utf-8")
    told = checkout.set_up()
    assert told.returncode != 0
    assert "--require-hashes" in told.stderr
    assert not checkout.installed("tiny")
