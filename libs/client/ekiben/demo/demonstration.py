"""The demo from start to end: start, train, deploy, replay, account for everything, stop."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack

from ekiben.demo.deploying import announce, deploy
from ekiben.demo.hosting import Host
from ekiben.demo.ledger import Ledger
from ekiben.demo.memory import Memory
from ekiben.demo.plan import Plan
from ekiben.demo.replaying import replay
from ekiben.demo.report import Report, make_report
from ekiben.demo.scores import Scores
from ekiben.demo.season import Season, train, write_features, write_season
from ekiben.demo.sending import Clock
from ekiben.demo.showing import Show
from ekiben.demo.store_costs import StoreCosts, store_costs
from ekiben.demo.tasks import end
from ekiben.demo.watching import Watch
from ekiben.local import running
from ekiben.local.environment import environment
from ekiben.local.home import Home
from ekiben_bus.settings import OwnKafkaSettings
from ekiben_contracts.topics import GATEWAY
from ekiben_contracts.training import ModelTrained
from ekiben_flights.plan import ENSEMBLE, FEATURE_SERVICE

Prepared = tuple[list[ModelTrained], Season]
"""The models, and what is asked of them."""


async def demonstrate(
    host: Host,
    plan: Plan,
    show: Show,
    clock: Clock = time.monotonic,
    *,
    preparing: asyncio.Task[Prepared] | None = None,
) -> Report:
    """Do all of it and report; whatever was started is stopped by then, also when this is cancelled.

    What somebody else is `preparing` is not prepared again.
    """
    started = clock()
    ledger, memory = Ledger(), Memory(host.home, host.owner)
    async with AsyncExitStack() as stack:
        looking = asyncio.create_task(memory.watch(), name="demo-memory")
        stack.push_async_callback(end, looking)
        if preparing is None:
            preparing = asyncio.create_task(prepare(host.home, plan, show), name="demo-preparation")
            stack.push_async_callback(end, preparing)
        await stack.enter_async_context(host.running())
        models, season = await preparing
        users, operators, trainer = await stack.enter_async_context(host.clients())
        await announce(models, trainer)
        await deploy(models, ENSEMBLE, operators, show, FEATURE_SERVICE if plan.features_from_store else None)
        scores = Scores(season.outcomes)
        async with Watch(users, operators, ledger, scores, clock) as watch:
            await replay(season, plan, users, watch, ledger, show, clock)
        costs = await _costs(host) if plan.features_from_store else None
    return make_report(ledger, scores.auc(), clock() - started, memory.peaks, costs)


async def _costs(host: Host) -> StoreCosts | None:
    found = running.read(host.home)
    gateway = found.services.get(GATEWAY) if found else None
    return None if gateway is None else await store_costs(gateway.health_port)


async def prepare(home: Home, plan: Plan, show: Show) -> Prepared:
    """Train, then write the requests: one after the other, since the services start meanwhile."""
    env = environment(home, OwnKafkaSettings(), "")
    with show.stage("Training two models on the flights of January to June"):
        models = await train(home, env)
    count = plan.requests + plan.paced
    with show.stage(f"Writing {count:,} flights of September to December as requests"):
        season = await write_season(home, env, count, plan.run, by_departure=plan.features_from_store)
    if plan.features_from_store:
        with show.stage(f"Writing the features of {count:,} flights to the feature store"):
            await write_features(home, env, count)
    return models, season
