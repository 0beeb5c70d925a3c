"""The licence of a distribution, as its metadata tells it."""

from __future__ import annotations

from collections.abc import Sequence
from email.message import Message

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.license import License, LicenseAcknowledgement, LicenseExpression

_CLASSIFIER = "License :: "
_A_NAME = 100
"""A longer licence field is its whole text, which names nothing."""


def licences(metadata: Message) -> list[License]:
    """As declared: an SPDX expression, else the short licence field, else the classifiers; or nothing."""
    declared = [_license(name) for name in _declared(metadata)]
    # CycloneDX takes either one expression or a list of licences
    expressions = [each for each in declared if isinstance(each, LicenseExpression)]
    return expressions[:1] or declared


def _declared(metadata: Message) -> Sequence[str]:
    if expression := metadata.get("License-Expression"):
        return [expression]
    field = (metadata.get("License") or "").strip()
    if field and "\n" not in field and len(field) < _A_NAME and field.upper() != "UNKNOWN":
        return [field]
    classifiers = metadata.get_all("Classifier") or []
    names = [text.rpartition(" :: ")[2] for text in classifiers if text.startswith(_CLASSIFIER)]
    return sorted(set(names) - {"OSI Approved"})


def _license(name: str) -> License:
    return LicenseFactory().make_from_string(name, license_acknowledgement=LicenseAcknowledgement.DECLARED)
