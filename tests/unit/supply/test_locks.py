"""Every package is locked by the sums of its files, and the locks of the bundles agree with the whole."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from scripts.supply.bundles import BUILD, BUNDLES, LOCKS, ROOT, WHOLE, Bundle
from scripts.supply.locked import LockError, read_lock
from scripts.supply.locking import constrained

LOCKED = [WHOLE, LOCKS / f"{BUILD}.lock", *(bundle.lock for bundle in BUNDLES)]


@pytest.mark.parametrize("lock", LOCKED, ids=lambda path: path.name)
def test_a_lock_pins_every_package_by_version_and_hash_and_names_no_address(lock: Path) -> None:
    assert len(read_lock(lock)) > 10
    assert "://" not in lock.read_text("utf-8")


def test_the_lock_of_the_tests_client_names_no_address_and_pins_every_package_by_its_sum() -> None:
    text = (ROOT / "tests/integration/documents/node/package-lock.json").read_text("utf-8")

    assert "://" not in text, "take `funding` and `resolved` out of it"
    packages = {name: package for name, package in json.loads(text)["packages"].items() if name}
    assert packages
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda bundle: bundle.name)
def test_a_bundle_installs_what_the_tests_ran_with(bundle: Bundle) -> None:
    tested = {(pin.name, pin.version): pin.sha256 for pin in read_lock(WHOLE)}
    assert {(pin.name, pin.version): pin.sha256 for pin in read_lock(bundle.lock)}.items() <= tested.items()


def test_the_gateway_and_the_synthesizer_carry_no_training_stack() -> None:
    heavy = {"mlflow", "bentoml", "scikit-learn", "pandas", "feast"}
    for name in ("inference-gateway", "synthesizer"):
        assert not heavy & {pin.name for pin in read_lock(LOCKS / f"{name}.lock")}
    assert heavy <= {pin.name for pin in read_lock(LOCKS / "local.lock")}


@pytest.mark.parametrize(
    "line", ["httpx>=0.28", "httpx==0.28.1", "-e ./contracts", "httpx @ https://example.org/httpx.whl"]
)
def test_a_line_that_leaves_open_what_is_installed_is_refused(line: str, tmp_path: Path) -> None:
    lock = tmp_path / "open.lock"
    lock.write_text(f"{line}\n", "utf-8")
    with pytest.raises(LockError, match=re.escape(line)):
        read_lock(lock)


def test_what_is_pinned_is_what_the_resolver_is_bound_to() -> None:
    bound = tomllib.loads(constrained((ROOT / "pyproject.toml").read_text("utf-8"), read_lock(WHOLE)))
    constraints = bound["tool"]["uv"]["constraint-dependencies"]
    pinned = {str(pin) for pin in read_lock(WHOLE)}
    assert len(constraints) > 200
    assert pinned.issuperset(constraints)
