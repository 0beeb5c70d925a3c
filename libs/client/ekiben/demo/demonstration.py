"""The demo from start to end: start, train, deploy, replay, account for everything, stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import islice

from ekiben.client import Ekiben
from ekiben.demo.broken import broken_records
from ekiben.demo.deploying import deploy
from ekiben.demo.hosting import Host
from ekiben.demo.ledger import Ledger, Phase
from ekiben.demo.memory import Memory
from ekiben.demo.plan import Plan
from ekiben.demo.report import Report, make_report
from ekiben.demo.scores import Scores
from ekiben.demo.season import Season, train, write_season
from ekiben.demo.sending import Clock, send_bulk, send_paced
from ekiben.demo.showing import Show
from ekiben.demo.tasks import end, repeating
from ekiben.demo.watching import Watch
from ekiben.local.environment import environment
from ekiben_bus.settings import KafkaSettings
from ekiben_contracts.training import ModelTrained
from ekiben_flights.plan import ENSEMBLE

_LETTERS_PATIENCE_S = 15.0
_LOOK_EVERY_S = 0.2


async def demonstrate(host: Host, plan: Plan, show: Show, clock: Clock = time.monotonic) -> Report:
    """Do all of it and report; whatever was started is stopped by then, also when this is cancelled."""
    started = clock()
    ledger, memory = Ledger(), Memory(host.home, host.owner)
    async with AsyncExitStack() as stack:
        looking = asyncio.create_task(memory.watch(), name="demo-memory")
        stack.push_async_callback(end, looking)
        preparing = asyncio.create_task(_prepare(host, plan, show), name="demo-preparation")
        stack.push_async_callback(end, preparing)
        await stack.enter_async_context(host.running())
        models, season = await preparing
        client = await stack.enter_async_context(host.client())
        await deploy(models, ENSEMBLE, client, show)
        scores = Scores(season.outcomes)
        async with Watch(client, ledger, scores, clock) as watch:
            await _replay(season, plan, client, watch, ledger, show, clock)
    return make_report(ledger, scores.auc(), clock() - started, memory.peaks)


async def _prepare(host: Host, plan: Plan, show: Show) -> tuple[list[ModelTrained], Season]:
    """Train, then write the requests: one after the other, since the services start meanwhile."""
    env = environment(host.home, KafkaSettings(), "")
    with show.stage("Training two models on the flights of January to June"):
        models = await train(host.home, env)
    count = plan.requests + plan.paced
    with show.stage(f"Writing {count:,} flights of September to December as requests"):
        return models, await write_season(host.home, env, count, plan.run)


async def _replay(
    season: Season, plan: Plan, client: Ekiben, watch: Watch, ledger: Ledger, show: Show, clock: Clock
) -> None:
    requests = season.requests()
    broken = broken_records(next(season.requests()), plan.run)
    title = f"Replaying {plan.requests:,} requests, and {len(broken)} broken records among them"
    async with _phase(Phase.BULK, title, plan, watch, ledger, show):
        await send_bulk(islice(requests, plan.requests), broken, client, ledger, clock)
    title = f"Replaying {plan.paced:,} more, a steady {plan.rate:,.0f} a second"
    async with _phase(Phase.PACED, title, plan, watch, ledger, show):
        await send_paced(requests, plan.rate, client, ledger, clock)
    with show.stage("Counting the dead letters"):
        await watch.count_dead_letters(_LETTERS_PATIENCE_S)


@asynccontextmanager
async def _phase(
    phase: Phase, title: str, plan: Plan, watch: Watch, ledger: Ledger, show: Show
) -> AsyncIterator[None]:
    """Show how much is answered while the block sends, and until all of it is."""
    total = plan.requests if phase is Phase.BULK else plan.paced
    with show.stage(title, total) as stage:
        async with repeating(lambda: stage.reach(ledger.settled_in(phase)), _LOOK_EVERY_S):
            yield
            await watch.until(lambda: ledger.settled_in(phase) == total, plan.patience_s)
