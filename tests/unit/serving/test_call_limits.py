"""How many calls an endpoint is given at a time, and which of them while its breaker is half-open."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable

import pytest

from ekiben_serving.connection import ClientLimits
from ekiben_serving.errors import (
    EndpointBusyError,
    ModelClientError,
)
from ekiben_serving.http_client import HTTPModelClient
from ekiben_serving.model_client import ModelOutput
from ekiben_serving.slots import CallSlots
from unit.serving.columns_server import SIGNATURE, ColumnsServer, serving
from unit.serving.frozen_clock import FrozenClock

DEADLINE_S = 10.0


@pytest.fixture
async def server() -> AsyncIterator[ColumnsServer]:
    async with serving() as found:
        yield found


def client(server: ColumnsServer, calls: int = 2, clock: FrozenClock | None = None) -> HTTPModelClient:
    limits = ClientLimits(concurrent_calls=calls, breaker_failures=2, breaker_reset_s=2.0)
    return HTTPModelClient(
        "delay", server.url, max_retries=0, version="3", signature=SIGNATURE, limits=limits, clock=clock
    )


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.001)


async def ask(client: HTTPModelClient, x: float = 1.0, budget_s: float | None = None) -> float | str:
    """The answer to one row, or the name of what was raised."""
    try:
        (answer,) = await client.predict_batch([{"x": x}], budget_s=budget_s)
    except ModelClientError as error:
        return type(error).__name__
    assert isinstance(answer, ModelOutput)
    return answer.value


async def test_an_endpoint_has_no_more_calls_at_a_time_than_it_is_given(server: ColumnsServer) -> None:
    found = client(server, calls=3)
    server.gate.clear()
    asking = [asyncio.create_task(ask(found, float(n))) for n in range(20)]
    await until(lambda: server.under_way == 3)
    server.gate.set()

    assert await asyncio.gather(*asking) == [2.0 * n for n in range(20)]
    assert server.most_under_way == 3
    await found.close()


async def test_whoever_finds_no_slot_within_the_budget_has_not_asked_and_blames_nobody(
    server: ColumnsServer,
) -> None:
    found = client(server, calls=1)
    server.gate.clear()
    first = asyncio.create_task(ask(found))
    await until(lambda: server.under_way == 1)

    others = await asyncio.gather(*(ask(found, budget_s=0.02) for _ in range(10)))

    assert Counter(others) == {"EndpointBusyError": 10}
    assert server.calls == 1
    server.gate.set()
    assert await first == 2.0
    assert await ask(found) == 2.0  # ten failures would have opened the breaker
    await found.close()


async def test_a_slot_is_waited_for_so_long_and_no_longer() -> None:
    slots = CallSlots("delay", "http://delay", 1)
    async with slots.taken(0.01):
        with pytest.raises(EndpointBusyError, match=r"its 1 call slots within 0\.01 s"):
            async with slots.taken(0.01):
                pytest.fail("expected one slot, found two")
    async with slots.taken(0.01):
        pass


async def test_a_call_given_up_leaves_its_slot_and_its_place_in_the_queue(server: ColumnsServer) -> None:
    found = client(server, calls=1)
    server.gate.clear()
    first, second = (asyncio.create_task(ask(found)) for _ in range(2))
    await until(lambda: server.under_way == 1)
    first.cancel()
    second.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    server.gate.set()

    assert await ask(found, 4.0, budget_s=DEADLINE_S) == 8.0
    await found.close()


@pytest.mark.parametrize("calls", [1, 8])
async def test_half_open_one_call_of_fifty_goes_through_and_nobody_waits_for_it(
    server: ColumnsServer, calls: int
) -> None:
    clock = FrozenClock()
    found = client(server, calls, clock)
    server.refusal = 503
    assert {await ask(found) for _ in range(2)} == {"ModelUnavailableError"}
    assert await ask(found) == "BreakerOpenError"
    before = server.calls
    clock.now += 2.0
    server.refusal = None
    server.gate.clear()

    asking = [asyncio.create_task(ask(found)) for _ in range(50)]
    await until(lambda: server.under_way == 1 and sum(task.done() for task in asking) == 49)
    assert server.calls - before == 1
    assert (await found.health()).breaker == "half-open"
    server.gate.set()

    assert Counter(await asyncio.gather(*asking)) == {"BreakerOpenError": 49, 2.0: 1}
    assert (await found.health()).breaker == "closed"
    assert await asyncio.gather(*(ask(found) for _ in range(50))) == [2.0] * 50
    await found.close()


async def test_a_probe_that_is_refused_leaves_it_open_for_all_who_wait(server: ColumnsServer) -> None:
    clock = FrozenClock()
    found = client(server, calls=1, clock=clock)
    server.refusal = 503
    await ask(found)
    await ask(found)
    calls = server.calls
    clock.now += 2.0

    answers = await asyncio.gather(*(ask(found) for _ in range(50)))

    assert Counter(answers) == {"BreakerOpenError": 49, "ModelUnavailableError": 1}
    assert server.calls - calls == 1
    await found.close()


async def test_those_who_wait_for_a_slot_are_not_let_through_once_the_breaker_opens(
    server: ColumnsServer,
) -> None:
    found = client(server, calls=1)
    server.refusal = 503
    server.gate.clear()
    asking = [asyncio.create_task(ask(found)) for _ in range(10)]
    await until(lambda: server.under_way == 1)
    server.gate.set()

    assert Counter(await asyncio.gather(*asking)) == {"ModelUnavailableError": 2, "BreakerOpenError": 8}
    assert server.calls == 2
    await found.close()
