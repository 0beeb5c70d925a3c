"""Whose read costs the others theirs: one that fails is halved; a part that answers proves the store well.

One entity that a driver chokes on makes the read of all its neighbours fail, as a store that is away does.
Only asking for fewer tells them apart, and only the parked lane has time for that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

from ekiben_serving.features.errors import (
    FeatureStoreBusyError,
    FeatureStoreError,
    FeatureStoreSilentError,
    UnfitFeatureServiceError,
    UnknownFeatureServiceError,
)
from ekiben_serving.features.looking_up import Entity, Found

_WHOEVER_IS_ASKED_ABOUT: Final = (
    FeatureStoreBusyError,
    FeatureStoreSilentError,
    UnfitFeatureServiceError,
    UnknownFeatureServiceError,
)

Read = Callable[[Sequence[Entity]], Awaitable[Sequence[Found]]]


class Unanswered(NamedTuple):
    """Why one entity has no answer where others have. `is_alone`: it failed twice on its own."""

    why: str
    is_alone: bool


async def read_halved(read: Read, entities: Sequence[Entity]) -> Sequence[Found | Unanswered]:
    """What is found of each entity, in their order, whatever one of them does to the reads it is in.

    For every answer it bears as many failures more as halving down to one entity takes.

    Raises:
        FeatureStoreError: nothing was found of anybody: the first read's.
    """
    found: list[Found | Unanswered] = [Unanswered("not asked so soon: the reads of others failed", False)]
    found *= len(entities)
    parts, answers, again = [range(len(entities))], 0, set[int]()
    errors: list[FeatureStoreError] = []
    while parts and len(errors) < (len(entities).bit_length() + 1) * (answers + 1):
        part = parts.pop()
        try:
            found[part.start : part.stop] = await read(entities[part.start : part.stop])
            answers += 1
        except FeatureStoreError as error:
            errors.append(error)
            if len(entities) == 1 or isinstance(error, _WHOEVER_IS_ASKED_ABOUT):
                break
            if len(part) > 1:
                parts += [part[len(part) // 2 :], part[: len(part) // 2]]
            elif part.start in again:
                found[part.start] = Unanswered(str(error), True)
            else:  # it may have met a moment without a network: once more, behind all others
                again.add(part.start)
                parts.insert(0, part)
    if not answers and errors:
        raise errors[0]
    return found
