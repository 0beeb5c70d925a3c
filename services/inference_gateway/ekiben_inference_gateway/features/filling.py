"""Filling in the features that requests lack, for all requests of a batch at once.

A value that a request brings wins over the store, null included; only names that it does not have are asked
for, and only where the route of its model has a feature service. All else passes at the price of one look.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from ekiben_contracts.event import FeatureValue
from ekiben_contracts.prediction import FailureCode
from ekiben_inference_gateway.conclusions import Waiting
from ekiben_inference_gateway.features.asking import Answer, StoreAsker
from ekiben_inference_gateway.features.wanting import Wanted, services_of, wanted_by_service
from ekiben_inference_gateway.gathering import every
from ekiben_inference_gateway.refusals import Refusal, some_of
from ekiben_inference_gateway.requests import Request
from ekiben_inference_gateway.scoring import Asked
from ekiben_serving.features.judging import Lack, Why
from ekiben_serving.features.looking_up import Entity, Found

Admitted = Asked | Refusal | Waiting
Fill = Callable[[Sequence[Asked | Refusal]], Awaitable[Sequence[Admitted]]]
"""The same requests in their order, with all features that can be had."""

_MOST_REASONS: Final = 3


async def as_they_are(admitted: Sequence[Asked | Refusal]) -> Sequence[Admitted]:
    """Where there is no feature store, requests have what they bring."""
    return admitted


class Filler:
    """Fills by what a store says, as one lane asks it."""

    def __init__(self, asker: StoreAsker) -> None:
        self._asker = asker

    async def fill(self, admitted: Sequence[Asked | Refusal]) -> Sequence[Admitted]:
        """See Fill. One that the store has no value for is refused; one that it has no answer for waits."""
        wanted = wanted_by_service(admitted)
        if not wanted:
            return admitted
        answers = await every(self._ask(service, found) for service, found in wanted.items())
        of_places: defaultdict[int, dict[str, Answer]] = defaultdict(dict)
        for (service, found), of_service in zip(wanted.items(), answers, strict=True):
            for want, answer in zip(found, of_service, strict=True):
                of_places[want.place][service] = answer
        return [_fill_all(one, of_places[n]) if n in of_places else one for n, one in enumerate(admitted)]

    async def _ask(self, service: str, wanted: Sequence[Wanted]) -> Sequence[Answer]:
        entities = [
            Entity(_entity_id(want.asked.request), want.asked.features, want.names, want.specs)
            for want in wanted
        ]
        return await self._asker.ask(service, entities)


def _entity_id(request: Request) -> str | None:
    return request.asked.entity_id if request.names_entity else None


def _fill_all(one: Asked | Refusal, answers: Mapping[str, Answer]) -> Admitted:
    filled: Admitted = one
    for service in services_of(one) if isinstance(one, Asked) else ():
        if service in answers:
            filled = _fill(filled, answers[service])
    return filled


def _fill(one: Admitted, answer: Answer) -> Admitted:
    """What is refused stays refused: one service of an ensemble is enough for that."""
    if not isinstance(one, Asked):
        return one
    if not isinstance(answer, Found):
        return answer
    if lacking := _needed(one, answer.lacking):
        return lacking_features(one.plan.name, lacking)
    values: dict[str, FeatureValue] = {**answer.values, **one.features}
    return replace(one, features=values)


def _needed(one: Asked, lacking: Mapping[str, Lack]) -> dict[str, Lack]:
    """Without those that the models can do without, where the request names no entity of the store."""
    unkeyed = {name for name, lack in lacking.items() if lack.why is Why.UNKEYED}
    optional = unkeyed - {s.name for choice in one.choices for s in choice.signature if s.required}
    return {name: lack for name, lack in lacking.items() if name not in optional}


def lacking_features(model: str, lacking: dict[str, Lack]) -> Refusal:
    """Neither the request nor the store has them."""
    reasons = list(dict.fromkeys(lack.detail for lack in lacking.values()))
    more = f"; and {len(reasons) - _MOST_REASONS} reasons more" if len(reasons) > _MOST_REASONS else ""
    return Refusal(
        FailureCode.MISSING_FEATURES,
        f"expected the features {some_of(sorted(lacking))} of {model} in the request or the feature store, "
        f"found that {'; '.join(reasons[:_MOST_REASONS])}{more}. Write them to the store, or send them in "
        "the request, and ask again under a new request_id",
    )
