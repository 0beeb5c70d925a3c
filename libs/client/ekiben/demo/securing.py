"""The demo on a system where everybody may do what the contracts say, and what that costs."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import NamedTuple

from ekiben.demo.demonstration import demonstrate, prepare
from ekiben.demo.hosting import Host
from ekiben.demo.plan import Plan
from ekiben.demo.report import Beside, Report
from ekiben.demo.showing import Show
from ekiben.demo.tasks import end


class Hosts(NamedTuple):
    """Two systems in one home, of which one runs at a time; each broker has data of its own."""

    open: Host
    secure: Host

    def hurry(self) -> None:
        """Do not wait for anything to drain any more."""
        self.open.hurry()
        self.secure.hurry()


async def demonstrate_secure(hosts: Hosts, plan: Plan, show: Show) -> Report:
    """The bulk on an open broker, then all of the demo on one that refuses strangers: the report is of that.

    Both systems are as young as the other when their bulk begins, and serve the same models.
    """
    bulk = replace(plan, paced_s=0.0, features_from_store=False)
    async with AsyncExitStack() as stack:
        preparing = asyncio.create_task(prepare(hosts.secure.home, plan, show), name="demo-preparation")
        stack.push_async_callback(end, preparing)
        show.note("first the bulk on an open broker, for the ratio; then all of it with TLS, logins and ACLs")
        beside = await demonstrate(hosts.open, bulk, show, preparing=preparing)
        secured = await demonstrate(hosts.secure, plan, show, preparing=preparing)
    return replace(secured, plain=Beside.of(beside))
