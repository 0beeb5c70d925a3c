"""Which requests of a batch lack features that a store is to have. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ekiben_contracts.models import FeatureSpec
from ekiben_inference_gateway.refusals import Refusal
from ekiben_inference_gateway.routing import Choice
from ekiben_inference_gateway.scoring import Asked


class Wanted(NamedTuple):
    """A request, its place in the batch, and the names that it lacks."""

    place: int
    asked: Asked
    names: frozenset[str]

    @property
    def specs(self) -> Sequence[FeatureSpec]:
        """The columns of all its models: they get one set of features."""
        first, *others = self.asked.choices
        return first.signature if not others else [s for c in self.asked.choices for s in c.signature]


def services_of(one: Asked) -> Sequence[str]:
    """In the order of its plan's members: the first that has a feature gives it, whoever asks beside."""
    named = (member.feature_service for member in one.plan.members)
    return list(dict.fromkeys(service for service in named if service is not None))


def wanted_by_service(admitted: Sequence[Asked | Refusal]) -> Mapping[str, Sequence[Wanted]]:
    """By feature service: the requests that lack features of its models. Null is a value."""
    names_of = _Names()
    wanted: defaultdict[str, list[Wanted]] = defaultdict(list)
    for place, one in enumerate(admitted):
        if isinstance(one, Asked) and one.plan.feature_services:
            for service, names in _lacking(one, names_of).items():
                wanted[service].append(Wanted(place, one, names))
    return wanted


def _lacking(one: Asked, names_of: _Names) -> Mapping[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for member, choice in zip(one.plan.members, one.choices, strict=True):
        service = member.feature_service
        if service is not None and (lacking := names_of(choice) - one.features.keys()):
            found[service] = found.get(service, frozenset()) | lacking
    return found


class _Names:
    """The columns of a version, looked up once a batch."""

    def __init__(self) -> None:
        self._names: dict[int, frozenset[str]] = {}

    def __call__(self, choice: Choice) -> frozenset[str]:
        names = self._names.get(id(choice))
        if names is None:
            names = self._names[id(choice)] = frozenset(spec.name for spec in choice.signature)
        return names
