"""Asking shadow versions about a batch: each its own rows, all at the same time, none for long."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic

from ekiben_contracts.prediction import FailureCode, Output
from ekiben_inference_gateway.batching import Group, groups
from ekiben_inference_gateway.gathering import every
from ekiben_inference_gateway.pacing import Paces
from ekiben_inference_gateway.policies import Gap
from ekiben_inference_gateway.routing import Choice, Endpoint
from ekiben_inference_gateway.scoring import too_slow
from ekiben_inference_gateway.shadow.choosing import Shadowing
from ekiben_serving.model_client import Features

Ask = Callable[[Choice, Sequence[Features], float, frozenset[Endpoint]], Awaitable[Sequence[Output | Gap]]]
"""Asks a version about rows, within seconds: one output or gap for each."""


@dataclass(frozen=True)
class Asker:
    """Calls one after the other at each shadow. What has no turn within the budget has failed."""

    ask: Ask
    paces: Paces
    budget_s: float

    async def about(self, batch: Sequence[Shadowing]) -> Sequence[Output | Gap]:
        """One output or gap for each, in their order."""
        asking = _Asking(self, batch)
        found = groups(
            (index, 0, one.choice) for index, one in enumerate(batch) if one.scored.features is not None
        )
        asked = frozenset(group.choice.endpoint for group in found)
        await every(asking.group(each, asked) for each in found)
        return [asking.answers.get(index) or _featureless(one.choice) for index, one in enumerate(batch)]


@dataclass
class _Asking:
    """One batch on its way: answers by the place of their row."""

    asker: Asker
    batch: Sequence[Shadowing]
    answers: dict[int, Output | Gap] = field(default_factory=dict[int, Output | Gap])

    async def group(self, group: Group, asked: frozenset[Endpoint]) -> None:
        """Cut bodies off the rows of one shadow, as it takes them."""
        asker, choice, began = self.asker, group.choice, monotonic()
        while places := group.take(asker.paces.of(choice.endpoint).rows):
            rows = [self.batch[index].scored.features or {} for index, _ in places]
            if monotonic() - began < asker.budget_s:
                answers = await asker.ask(choice, rows, asker.budget_s, asked)
            else:
                answers = [too_slow(choice, asker.budget_s)] * len(places)
            self.answers.update(zip((index for index, _ in places), answers, strict=True))


def _featureless(choice: Choice) -> Gap:
    return Gap(
        choice.endpoint.model,
        FailureCode.MISSING_FEATURES,
        "expected the features in the outputs of the request, found null",
        choice.endpoint,
    )
