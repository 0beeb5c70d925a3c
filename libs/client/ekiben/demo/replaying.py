"""The replay itself: the bulk, the steady pace, and then the dead letters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import islice

from ekiben.client import Ekiben
from ekiben.demo.broken import broken_records
from ekiben.demo.ledger import Ledger, Phase
from ekiben.demo.plan import Plan
from ekiben.demo.season import Season
from ekiben.demo.sending import Clock, send_bulk, send_paced
from ekiben.demo.showing import Show
from ekiben.demo.tasks import repeating
from ekiben.demo.watching import Watch
from ekiben_contracts.prediction import PredictionRequested

_LOOK_EVERY_S = 0.2
_LETTERS_PATIENCE_S = 15.0


async def replay(
    season: Season, plan: Plan, client: Ekiben, watch: Watch, ledger: Ledger, show: Show, clock: Clock
) -> None:
    """Send all of it and wait until each record is answered, buried, or given up."""
    requests = season.requests()
    broken = broken_records(_pattern(season, plan), plan.run)
    if plan.features_from_store:
        await _open_store(season, plan, client, watch, ledger, show, clock)
    title = f"Replaying {plan.requests:,} requests, and {len(broken)} broken records among them"
    async with _phase(Phase.BULK, title, plan, watch, ledger, show):
        await send_bulk(islice(requests, plan.requests), broken, client, ledger, clock)
    if plan.features_from_store:
        title = f"Replaying the {plan.requests:,} once more, features null"
        bare = (without_features(request, "from-store") for request in season.requests())
        async with _phase(Phase.STORE, title, plan, watch, ledger, show):
            await send_bulk(islice(bare, plan.requests), [], client, ledger, clock, Phase.STORE)
    title = f"Replaying {plan.paced:,} more, a steady {plan.rate:,.0f} a second"
    async with _phase(Phase.PACED, title, plan, watch, ledger, show):
        await send_paced(islice(requests, plan.paced), plan.rate, client, ledger, clock)
    with show.stage("Counting the dead letters"):
        await watch.count_dead_letters(min(plan.patience_s, _LETTERS_PATIENCE_S))


async def _open_store(
    season: Season, plan: Plan, client: Ekiben, watch: Watch, ledger: Ledger, show: Show, clock: Clock
) -> None:
    """One request has the gateway load Feast, which takes seconds that belong to neither run."""
    first = without_features(next(season.requests()), "opening")
    async with _phase(Phase.OPENING, "Opening the feature store", plan, watch, ledger, show):
        await send_bulk([first], [], client, ledger, clock, Phase.OPENING)


def without_features(request: PredictionRequested, why: str) -> PredictionRequested:
    """The same question, its features left to the store."""
    return request.model_copy(update={"features": None, "request_id": f"{request.request_id}#{why}"})


def _pattern(season: Season, plan: Plan) -> PredictionRequested:
    """What broken records are made of: about an entity that no store knows, where one could mend them."""
    first = next(season.requests())
    return first.model_copy(update={"entity_id": "nobody"}) if plan.features_from_store else first


@asynccontextmanager
async def _phase(
    phase: Phase, title: str, plan: Plan, watch: Watch, ledger: Ledger, show: Show
) -> AsyncIterator[None]:
    """Show how much is answered while the block sends, and until all of it is."""
    total = {Phase.PACED: plan.paced, Phase.OPENING: 1}.get(phase, plan.requests)
    with show.stage(title, total) as stage:
        async with repeating(lambda: stage.reach(ledger.settled_in(phase)), _LOOK_EVERY_S):
            yield
            await watch.until(lambda: ledger.settled_in(phase) == total, plan.patience_s)
