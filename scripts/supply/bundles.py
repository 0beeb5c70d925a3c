"""What is shipped: each bundle is one of our distributions, with the extras that it is shipped with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ROOT / "locks"
WHOLE = ROOT / "requirements.lock"
BUILD = "build"
"""The group of packages that build ours, and the lock that has it."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A distribution of ours with extras. Its lock, its SBOM and, if `image`, its image have its name."""

    name: str
    distribution: str
    extras: tuple[str, ...] = ()
    image: bool = False

    @property
    def lock(self) -> Path:
        return LOCKS / f"{self.name}.lock"


BUNDLES = (
    Bundle("inference-gateway", "ekiben-inference-gateway", ("http",), image=True),
    Bundle("inference-gateway-features", "ekiben-inference-gateway", ("features", "http"), image=True),
    Bundle("synthesizer", "ekiben-synthesizer", image=True),
    Bundle("deployer", "ekiben-deployer", image=True),
    Bundle("client", "ekiben"),
    Bundle("local", "ekiben", ("local",)),
)


def named(name: str) -> Bundle:
    """The bundle of that name.

    Raises:
        SystemExit: there is none.
    """
    for bundle in BUNDLES:
        if bundle.name == name:
            return bundle
    known = ", ".join(bundle.name for bundle in BUNDLES)
    raise SystemExit(f"expected one of {known}; found {name}")
