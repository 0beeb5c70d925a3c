"""One suite for every target: the fake, and the local one with small servers in place of Bentos."""

from __future__ import annotations

import asyncio
import random
import socket
import sys

import pytest

from ekiben_deployer.supervisor.files import Home
from ekiben_deployer.supervisor.stopping import find_supervisor
from ekiben_deployer.targets import Instance, Served, Target
from ekiben_deployer.targets.fake import FakeTarget
from ekiben_deployer.targets.local import LocalTarget
from integration.deployer.children import answering, kill_hard, server, supervised, until

RESTARTING = """
import subprocess, sys, time
while True:
    subprocess.run([sys.executable, "-c", "import time; time.sleep(0.5); " + sys.argv[1]])
"""
"""Lives on and starts its worker anew, as `bentoml serve` does."""

DELAY = Served("delay", "1", "delay:1-abc")
WEATHER = Served("weather", "1+beta", "weather:1-abc")


def local(root) -> LocalTarget:
    return LocalTarget(root, lambda bento, port: (server(port), {"BENTO": bento}), random.Random())


@pytest.fixture
def root(tmp_path):
    with supervised(tmp_path / "home") as found:
        yield found.root


@pytest.fixture(params=["fake", "local"])
def target(request: pytest.FixtureRequest) -> Target:
    return FakeTarget() if request.param == "fake" else local(request.getfixturevalue("root"))


async def up(target: Target, served: Served) -> Instance:
    """What a target says of a Bento once it is up."""
    async with asyncio.timeout(60):
        while not (instance := await target.start(served)).is_up:
            await asyncio.sleep(0.05)
    return instance


async def test_what_is_started_is_up_sooner_or_later_and_listed(target):
    instance = await up(target, DELAY)

    assert instance.served == DELAY
    assert list(await target.instances()) == [instance]


async def test_starting_again_changes_nothing(target):
    first = await up(target, DELAY)

    assert await target.start(DELAY) == first


async def test_two_versions_listen_at_two_urls(target):
    assert (await up(target, DELAY)).url != (await up(target, WEATHER)).url
    assert {instance.served for instance in await target.instances()} == {DELAY, WEATHER}


async def test_another_bento_of_a_version_takes_its_place_at_its_url(target):
    before = await up(target, DELAY)

    after = await up(target, Served("delay", "1", "delay:1-def"))

    assert after.url == before.url
    assert [instance.served.bento for instance in await target.instances()] == ["delay:1-def"]


async def test_what_is_stopped_is_listed_no_more_and_stopping_again_is_fine(target):
    await up(target, DELAY)

    await target.stop("delay", "1")
    await target.stop("delay", "1")

    assert list(await target.instances()) == []


async def test_a_new_deployer_finds_what_the_one_before_started(root):
    before = await up(local(root), DELAY)
    pid = await asyncio.to_thread(until, lambda: answering(int(before.url.rpartition(":")[2])))

    after = await local(root).start(DELAY)

    assert after == before
    assert answering(int(after.url.rpartition(":")[2])) == pid


async def test_a_supervisor_that_was_killed_is_started_again(root):
    target = local(root)
    await up(target, DELAY)
    kill_hard(find_supervisor(Home(root)).pid)

    await target.instances()

    await asyncio.to_thread(until, lambda: find_supervisor(Home(root)))


async def test_a_worker_that_dies_again_and_again_below_a_living_server_is_told_with_its_error(root):
    failing = (sys.executable, "-c", RESTARTING, "raise ValueError('the model file is missing')")
    target = LocalTarget(root, lambda *_: (failing, {}), random.Random())

    async with asyncio.timeout(60):
        while (instance := await target.start(DELAY)).deaths < 3:
            await asyncio.sleep(0.05)

    assert instance.is_up
    assert instance.last_words == "ValueError: the model file is missing"


async def test_a_version_whose_port_somebody_took_while_it_was_down_moves(root):
    target = local(root)
    before = await up(target, DELAY)
    port = int(before.url.rpartition(":")[2])
    with supervised(root) as supervisor:
        supervisor.stop()
    with socket.socket() as foreign:
        foreign.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        foreign.bind(("127.0.0.1", port))
        foreign.listen()

        after = await up(target, DELAY)
        await asyncio.to_thread(until, lambda: answering(int(after.url.rpartition(":")[2])))

    assert after.url != before.url
