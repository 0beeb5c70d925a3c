"""An SBOM is valid CycloneDX, and lists what its service installs: nothing missing, nothing more."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from ekiben_bus.brokers.jars import locked
from scripts.supply.assembling import refuse_more_than_needed
from scripts.supply.bundles import BUNDLES, ROOT, named
from scripts.supply.installed import NotInstalledError, installed, needs
from scripts.supply.locked import on_this_machine, read_lock
from scripts.supply.sbom import DriftError, as_json, bill, write_all

OURS = {"ekiben-bus", "ekiben-contracts", "ekiben-telemetry"}


@pytest.fixture(scope="module")
def boms(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """Every SBOM, as `make sbom` writes them."""
    written = write_all(tmp_path_factory.mktemp("sbom"))
    return {path.name.removesuffix(".cdx.json"): json.loads(path.read_text("utf-8")) for path in written}


def purls(bom: Mapping[str, Any], kind: str) -> set[str]:
    return {part["purl"] for part in bom["components"] if part["purl"].startswith(f"pkg:{kind}/")}


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda bundle: bundle.name)
def test_the_official_schema_accepts_it_and_refuses_it_once_it_is_damaged(boms, bundle) -> None:
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    bom = boms[bundle.name]
    assert validator.validate_str(json.dumps(bom)) is None
    bom_without_names = bom | {"components": [{"type": "library"}]}
    assert validator.validate_str(json.dumps(bom_without_names)) is not None


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda bundle: bundle.name)
def test_it_lists_the_lock_of_its_bundle_and_each_part_says_who_needs_it(boms, bundle) -> None:
    bom = boms[bundle.name]
    pinned = {f"pkg:pypi/{pin.name}@{pin.version}" for pin in on_this_machine(read_lock(bundle.lock))}
    listed = purls(bom, "pypi")
    assert len(pinned) > 20
    assert pinned <= listed
    assert all(purl.startswith("pkg:pypi/ekiben") for purl in listed - pinned)
    needed = {ref for entry in bom["dependencies"] for ref in entry.get("dependsOn", [])}
    assert needed == {part["bom-ref"] for part in bom["components"]}


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda bundle: bundle.name)
def test_every_package_has_its_sums_and_nearly_all_a_licence(boms, bundle) -> None:
    packages = [part for part in boms[bundle.name]["components"] if "ekiben" not in part["name"]]
    python = [part for part in packages if part["purl"].startswith("pkg:pypi/")]
    assert all(part["externalReferences"][0]["hashes"] for part in python)
    unlicensed = [part["name"] for part in python if not part.get("licenses")]
    assert len(unlicensed) * 20 <= len(python), unlicensed


def test_the_synthesizer_is_made_of_itself_and_three_more_of_ours(boms) -> None:
    bom = boms["synthesizer"]
    assert bom["metadata"]["component"]["purl"].startswith("pkg:pypi/ekiben-synthesizer@")
    assert {part["name"] for part in bom["components"] if part["name"].startswith("ekiben")} == OURS


def test_what_embeds_a_broker_lists_kafkas_jars_with_their_sums_and_the_java_runtime(boms) -> None:
    sums = {
        part["hashes"][0]["content"]
        for part in boms["local"]["components"]
        if part["purl"].startswith("pkg:maven")
    }
    assert sums == {jar.sha256 for jar in locked()}
    assert len(purls(boms["local"], "generic")) == 1
    assert not purls(boms["deployer"], "maven")


def test_no_registry_is_named(boms) -> None:
    for bom in boms.values():
        urls = {each["url"] for part in bom["components"] for each in part.get("externalReferences", [])}
        assert all(url.startswith("pkg:") for url in urls)


def test_the_same_parts_give_the_same_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    first, second = (as_json(bill(named("synthesizer"), installed())) for _ in range(2))
    assert first == second
    assert "2023-11-14T22:13:20" in first


def test_a_lock_that_is_not_what_is_installed_gives_no_sbom(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("scripts.supply.bundles.LOCKS", tmp_path)
    lock = tmp_path / "synthesizer.lock"
    real = (ROOT / "locks/synthesizer.lock").read_text("utf-8")
    lock.write_text(real.replace("aiokafka==", "aiokafka==9."), "utf-8")
    with pytest.raises(DriftError, match=r"aiokafka 9\."):
        bill(named("synthesizer"), installed())


def test_an_environment_with_more_than_its_service_needs_is_refused() -> None:
    everything, bundle = installed(), named("synthesizer")
    needed = {name: everything[name] for name in needs(bundle.distribution, bundle.extras, everything)}
    refuse_more_than_needed(bundle, needed)
    with pytest.raises(DriftError, match="found mlflow as well"):
        refuse_more_than_needed(bundle, needed | {"mlflow": everything["mlflow"]})


def test_what_is_needed_and_not_there_is_named() -> None:
    here = {name: found for name, found in installed().items() if name != "aiokafka"}
    with pytest.raises(NotInstalledError, match="aiokafka"):
        needs("ekiben-bus", (), here)
