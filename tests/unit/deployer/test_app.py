from __future__ import annotations

import asyncio

import pytest
from aiokafka import TopicPartition

from ekiben_bus.service import Service
from ekiben_contracts.deployment import Step, Strategy
from ekiben_contracts.models import Role
from ekiben_contracts.topics import DEPLOYER, DEPLOYMENT_REQUESTS, ROUTES, dead_letter_topic
from ekiben_deployer.ledger import Ledger
from ekiben_deployer.routes import champion
from ekiben_deployer.stages import Stage
from unit.deployer.building import combine, deploy, retire, rollback, route, routed_version, told, trained
from unit.deployer.running import HASTY, Machine
from unit.in_memory import DEADLINE_S, until

pytestmark = pytest.mark.virtual_time
DIRECT = ["planned", "packaged", "started", "warmed_up", "routed", "promoted", "retired", "completed"]


@pytest.fixture
def machine():
    return Machine()


async def test_a_direct_deployment_ends_with_a_route_to_what_runs(machine):
    machine.train()
    machine.ask(deploy())

    async with machine.deployer():
        await machine.end_of("deploy-delay-1")

    (routed,) = machine.routes("model/delay")
    assert machine.steps("deploy-delay-1") == DIRECT
    assert champion(routed).url == machine.target.running["delay", "1"].url
    assert (machine.registry.champions, machine.registry.stages) == (
        {"delay": "1"},
        {("delay", "1"): Stage.PRODUCTION},
    )


async def test_each_step_says_what_it_did_and_why(machine):
    machine.train()
    machine.ask(deploy())

    async with machine.deployer():
        await machine.end_of("deploy-delay-1")

    told = {event.step: event for event in machine.told()}
    assert told[Step.PACKAGED].bento == "delay:1-fake"
    assert told[Step.STARTED].url == told[Step.WARMED_UP].url == machine.target.running["delay", "1"].url
    assert all(event.reason and event.version == "1" for event in told.values())


async def test_each_step_that_was_told_is_counted(machine):
    machine.ask(deploy())

    async with machine.deployer():
        await machine.end_of("deploy-delay-1")
        labels = {"model": "delay", "step": "failed"}
        await until(lambda: machine.metrics.get_sample_value("ekiben_deployment_steps_total", labels) == 1)


async def test_the_next_version_takes_over_and_the_one_before_is_stopped_and_stays_in_the_route(machine):
    machine.train(trained(version="1"), trained(version="2"))
    machine.ask(deploy(version="1"), deploy(version="2"))

    async with machine.deployer():
        await machine.end_of("deploy-delay-1", "deploy-delay-2")

    last = machine.routes("model/delay")[-1]
    assert [(v.version, v.weight) for v in last.versions] == [("2", 10_000), ("1", 0)]
    assert machine.target.effects == ["start delay 1", "start delay 2", "stop delay 1"]
    assert machine.registry.stages["delay", "1"] is Stage.ARCHIVED


async def test_a_wrong_answer_to_the_input_example_fails_and_nothing_is_routed(machine):
    machine.train()
    machine.answers["1"] = 0.26
    machine.ask(deploy())

    async with machine.deployer():
        (end,) = await machine.end_of("deploy-delay-1")

    assert end.step is Step.FAILED
    assert "expected 0.25 for the input example, found 0.26" in end.reason
    assert machine.routes("model/delay") == []
    assert machine.target.running == {}


async def test_a_version_that_fails_is_stopped_before_its_failure_is_told(machine):
    machine.train()
    machine.answers["1"] = 0.26
    machine.ask(deploy())
    stop, told_before = machine.target.stop, []

    async def note_and_stop(model, version):
        told_before.append(machine.steps("deploy-delay-1")[-1])
        await stop(model, version)

    machine.target.stop = note_and_stop

    async with machine.deployer():
        await machine.end_of("deploy-delay-1")

    assert told_before == ["started"]


async def test_a_successor_with_a_wrong_answer_leaves_the_champion_alone(machine):
    machine.train(trained(version="1"), trained(version="2"))
    machine.answers["2"] = 0.9
    machine.ask(deploy(version="1"), deploy(version="2"))

    async with machine.deployer():
        _, end = await machine.end_of("deploy-delay-1", "deploy-delay-2")

    assert end.step is Step.FAILED
    assert "version 1 serves on" in end.reason
    assert len(machine.routes("model/delay")) == 1
    assert list(machine.target.running) == [("delay", "1")]


async def test_a_registry_that_stays_away_rolls_the_traffic_back(machine):
    machine.train(trained(version="1"), trained(version="2"))
    machine.ask(deploy(version="1"))

    async with machine.deployer():
        await machine.end_of("deploy-delay-1")
        machine.registry.broken = ConnectionError("MLflow is away")
        machine.ask(deploy(version="2"))
        (end,) = await machine.end_of("deploy-delay-2")

    assert end.step is Step.ROLLED_BACK
    assert "MLflow is away" in end.reason
    assert champion(machine.routes("model/delay")[-1]).version == "1"
    assert list(machine.target.running) == [("delay", "1")]


async def test_what_cannot_be_packaged_fails_with_the_packagers_reason(machine):
    machine.packager.refusal = "no signature"
    machine.train()
    machine.ask(deploy())

    async with machine.deployer():
        (end,) = await machine.end_of("deploy-delay-1")

    assert (end.step, "no signature" in end.reason) == (Step.FAILED, True)


async def test_a_child_that_dies_again_and_again_fails_the_deployment(machine):
    machine.train()
    start = machine.target.start

    async def start_and_crash(served):
        await start(served)
        machine.target.crash("delay", "1", deaths=3)
        return machine.target.running["delay", "1"]

    machine.target.start = start_and_crash
    machine.ask(deploy())

    async with machine.deployer():
        (end,) = await machine.end_of("deploy-delay-1")

    assert "3 deaths; last: ended with exit code 1" in end.reason


@pytest.mark.parametrize("strategy", [Strategy.CANARY, Strategy.BLUE_GREEN])
async def test_another_strategy_is_told_to_be_unsupported_and_starts_nothing(machine, strategy):
    machine.train()
    machine.ask(deploy(strategy=strategy))

    async with machine.deployer():
        (end,) = await machine.end_of("deploy-delay-1")

    assert machine.steps("deploy-delay-1") == ["failed"]
    assert "expected a strategy of direct" in end.reason
    assert machine.target.effects == []


async def test_a_shadow_runs_beside_the_champion_until_it_is_retired(machine):
    machine.train(trained(version="1"), trained(version="2"))
    machine.ask(deploy(version="1"), deploy(version="2", strategy=Strategy.SHADOW))

    async with machine.deployer():
        _, end = await machine.end_of("deploy-delay-1", "deploy-delay-2")
        beside = machine.routes("model/delay")[-1]
        running = set(machine.target.running)
        machine.ask(retire(version="2"))
        await machine.end_of("retire")

    assert end.step is Step.COMPLETED
    assert [(v.version, v.weight, v.role) for v in beside.versions] == [
        ("1", 10_000, Role.CHAMPION),
        ("2", 0, Role.SHADOW),
    ]
    assert running == {("delay", "1"), ("delay", "2")}
    assert machine.steps("deploy-delay-2") == [step for step in DIRECT if step != "retired"]
    assert (machine.registry.champions, machine.registry.stages["delay", "1"]) == (
        {"delay": "1"},
        Stage.PRODUCTION,
    )
    assert set(machine.target.running) == {("delay", "1")}
    assert champion(machine.routes("model/delay")[-1]).version == "1"


async def test_a_shadow_that_is_deployed_takes_over(machine):
    machine.train(trained(version="1"), trained(version="2"))
    shadow = deploy(version="2", strategy=Strategy.SHADOW, deployment_id="shadow")
    machine.ask(deploy(version="1"), shadow, deploy(version="2"))

    async with machine.deployer():
        await machine.end_of("deploy-delay-1", "shadow", "deploy-delay-2")

    assert champion(machine.routes("model/delay")[-1]).version == "2"
    assert set(machine.target.running) == {("delay", "2")}
    assert machine.registry.stages == {("delay", "1"): Stage.ARCHIVED, ("delay", "2"): Stage.PRODUCTION}


async def test_after_a_reboot_a_shadow_runs_again(machine):
    machine.train(trained(version="1"), trained(version="2"))
    machine.ask(deploy(version="1"), deploy(version="2", strategy=Strategy.SHADOW))
    async with machine.deployer():
        await machine.end_of("deploy-delay-1", "deploy-delay-2")
    machine.target.running.clear()

    async with machine.deployer():
        await until(lambda: set(machine.target.running) == {("delay", "1"), ("delay", "2")})


async def test_an_ensemble_that_is_asked_for_with_its_members_waits_for_them(machine):
    machine.train(trained("delay"), trained("weather"))
    machine.ask(deploy("delay"), deploy("weather"), combine())

    async with machine.deployer():
        await machine.end_of("combine")

    (ensemble,) = machine.routes("ensemble/both")
    assert ensemble.members == ["delay", "weather"]
    assert machine.steps("combine") == ["planned", "routed", "completed"]


async def test_an_ensemble_of_models_that_failed_is_refused(machine):
    machine.train(trained("delay"))
    machine.ask(deploy("delay"), deploy("weather"), combine())

    async with machine.deployer():
        (end,) = await machine.end_of("combine")

    assert "found weather without a route" in end.reason
    assert machine.routes("ensemble/both") == []


async def test_the_same_definition_asked_for_twice_is_written_once(machine):
    machine.train(trained("delay"), trained("weather"))
    machine.ask(deploy("delay"), deploy("weather"), combine(), combine(deployment_id="again"))

    async with machine.deployer():
        await machine.end_of("combine", "again")

    assert len(machine.routes("ensemble/both")) == 1


async def test_a_rollback_serves_the_version_before_again(machine):
    machine.train(trained(version="1"), trained(version="2"))
    machine.ask(deploy(version="1"), deploy(version="2"), rollback())

    async with machine.deployer():
        (end,) = await machine.end_of("back")

    assert (end.step, end.version) == (Step.COMPLETED, "1")
    assert champion(machine.routes("model/delay")[-1]).version == "1"
    assert list(machine.target.running) == [("delay", "1")]
    assert machine.registry.stages == {("delay", "1"): Stage.PRODUCTION, ("delay", "2"): Stage.ARCHIVED}


async def test_a_retired_model_serves_nothing_and_runs_nowhere(machine):
    machine.train()
    machine.ask(deploy(), retire())

    async with machine.deployer():
        (end,) = await machine.end_of("retire")

    assert end.step is Step.COMPLETED
    assert champion(machine.routes("model/delay")[-1]) is None
    assert machine.target.running == {}


@pytest.mark.parametrize("step", DIRECT[:-1])
async def test_a_deployer_that_dies_after_any_step_is_followed_by_one_that_takes_the_others_once(
    machine, step
):
    machine.train(trained(version="1"), trained(version="2"))
    machine.ask(deploy(version="1"))
    async with machine.deployer():
        await machine.end_of("deploy-delay-1")

    machine.ask(deploy(version="2"))
    async with machine.deployer() as first:
        await until(lambda: step in machine.steps("deploy-delay-2"))
        first.cancel()
    async with machine.deployer():
        (end,) = await machine.end_of("deploy-delay-2")

    assert end.step is Step.COMPLETED
    assert machine.steps("deploy-delay-2") == DIRECT
    assert machine.packager.built == ["delay:1-fake", "delay:2-fake"]
    assert machine.target.effects == ["start delay 1", "start delay 2", "stop delay 1"]
    assert [r.revision for r in machine.routes("model/delay")] == [1, 2]


async def test_a_route_that_was_written_but_not_told_is_not_written_again(machine):
    machine.train()
    machine.write_route(route("delay", routed_version(port=20_000)))
    machine.ask(deploy())

    async with machine.deployer():
        await machine.end_of("deploy-delay-1")

    assert machine.steps("deploy-delay-1") == DIRECT
    assert len(machine.routes("model/delay")) == 1


async def test_a_step_that_has_to_be_taken_again_is_not_told_again(machine):
    machine.train()
    machine.ask(deploy())
    for event in told(Step.PLANNED, Step.PACKAGED, Step.STARTED).events.values():
        machine.tell(event)

    async with machine.deployer():
        await machine.end_of("deploy-delay-1")

    assert machine.target.effects == ["start delay 1"]
    assert machine.steps("deploy-delay-1") == DIRECT


async def test_a_replayed_request_is_another_attempt_at_the_same_deployment(machine):
    machine.ask(deploy())

    async with machine.deployer():
        await machine.end_of("deploy-delay-1")
        machine.train()
        machine.replay(deploy())
        await until(lambda: "completed" in machine.steps("deploy-delay-1"))

    assert machine.steps("deploy-delay-1") == ["failed", *DIRECT]
    assert {event.attempt for event in machine.told()} == {1, 2}
    assert len({record.offset for record in machine.kafka.records(DEPLOYMENT_REQUESTS.name)}) == 2


async def test_a_deployment_that_ended_is_not_begun_again(machine):
    machine.train(trained(version="1"), trained(version="2"))
    machine.ask(deploy(version="1"))
    async with machine.deployer():
        await machine.end_of("deploy-delay-1")

    async with machine.deployer():
        machine.ask(deploy(version="2"))
        await machine.end_of("deploy-delay-2")

    assert machine.steps("deploy-delay-1") == DIRECT


async def test_an_id_that_is_used_again_means_the_first_request(machine):
    machine.train(trained(version="1"), trained(version="2"))
    machine.ask(deploy(version="1", deployment_id="once"), deploy(version="2", deployment_id="once"))

    async with machine.deployer():
        (end,) = await machine.end_of("once")

    assert end.version == "1"
    assert machine.steps("once") == DIRECT


async def test_after_a_reboot_what_is_routed_runs_again_where_it_was(machine):
    machine.train()
    machine.ask(deploy())
    async with machine.deployer():
        await machine.end_of("deploy-delay-1")
    gone = machine.target.running.pop(("delay", "1"))

    async with machine.deployer():
        await until(lambda: ("delay", "1") in machine.target.running)

    assert machine.target.running["delay", "1"].served == gone.served


async def test_a_version_that_had_to_move_is_routed_to_where_it_listens_now(machine):
    machine.train()
    machine.ask(deploy())

    async with machine.deployer():
        await machine.end_of("deploy-delay-1")
        url = machine.target.move("delay", "1")
        await until(lambda: len(machine.routes("model/delay")) == 2)

    moved = machine.routes("model/delay")[-1]
    assert (champion(moved).url, moved.revision) == (url, 2)


async def test_a_route_that_somebody_else_wrote_over_is_asserted_again(machine):
    machine.train()
    machine.ask(deploy())

    async with machine.deployer():
        await machine.end_of("deploy-delay-1")
        (ours,) = machine.routes("model/delay")
        machine.write_route(route("delay", routed_version("666"), revision=9))
        await until(lambda: len(machine.routes("model/delay")) == 3)

    last = machine.routes("model/delay")[-1]
    assert (last.versions, last.revision) == (ours.versions, 10)


async def test_a_route_that_somebody_else_deleted_is_asserted_again(machine):
    machine.train()
    machine.ask(deploy())

    async with machine.deployer():
        await machine.end_of("deploy-delay-1")
        machine.kafka.cluster.append(TopicPartition(ROUTES.name, 0), [(b"model/delay", None, [])])
        await until(lambda: len(machine.routes("model/delay")) == 2)

    assert champion(machine.routes("model/delay")[-1]).version == "1"


async def test_what_no_route_and_no_deployment_needs_is_stopped(machine):
    machine.train()
    machine.ask(deploy())

    async with machine.deployer():
        await machine.end_of("deploy-delay-1")
        machine.write_route(route("weather"))
        await until(lambda: ("weather", "1") in machine.target.running)
        await machine.target.start(
            machine.target.running["weather", "1"].served.__class__("stray", "1", "stray:1")
        )
        await until(lambda: ("stray", "1") not in machine.target.running)

    assert set(machine.target.running) == {("delay", "1"), ("weather", "1")}


async def test_of_two_deployers_one_works_and_the_other_takes_over(machine):
    machine.train(*(trained(version=str(n)) for n in range(1, 4)))

    async with machine.deployer() as first, machine.deployer() as second:
        machine.ask(deploy(version="1"), deploy(version="2"))
        await machine.end_of("deploy-delay-1", "deploy-delay-2")
        first.cancel()
        await asyncio.wait([first])
        machine.ask(deploy(version="3"))
        await machine.end_of("deploy-delay-3")
        assert not second.done()

    assert [machine.steps(f"deploy-delay-{n}") for n in (1, 2, 3)] == [DIRECT] * 3
    assert [r.revision for r in machine.routes("model/delay")] == [1, 2, 3]


async def test_a_request_with_a_wrong_field_is_dead_lettered_and_its_deployment_told_to_have_failed(machine):
    value = b'{"deployment_id": "broken", "model": "delay", "requested_by": "ada"}'
    headers = [
        ("ce_type", b"ekiben.deployment.requested.v1"),
        ("ce_id", b"x"),
        ("ce_source", b"/t"),
        ("ce_specversion", b"1.0"),
    ]
    machine.kafka.send_bytes(DEPLOYMENT_REQUESTS, value, *headers, key=b"delay", partition=0)

    async with machine.deployer():
        (end,) = await machine.end_of("broken")
        await until(lambda: machine.kafka.records(dead_letter_topic(DEPLOYMENT_REQUESTS.name, DEPLOYER)))

    assert (end.step, end.model) == (Step.FAILED, "delay")
    assert "version" in end.reason


async def test_a_request_that_names_nobody_is_dead_lettered_alone(machine):
    machine.kafka.send_bytes(DEPLOYMENT_REQUESTS, b"no json", key=b"delay", partition=0)

    async with machine.deployer():
        await until(lambda: machine.kafka.records(dead_letter_topic(DEPLOYMENT_REQUESTS.name, DEPLOYER)))

    assert machine.told() == []


async def test_the_old_version_runs_on_for_its_grace():
    machine = Machine(HASTY.model_copy(update={"retire_grace_s": 3600.0}))
    machine.train(trained(version="1"), trained(version="2"))
    machine.ask(deploy(version="1"), deploy(version="2"))

    async with machine.deployer():
        await until(lambda: "promoted" in machine.steps("deploy-delay-2"))

    assert set(machine.target.running) == {("delay", "1"), ("delay", "2")}
    assert "retired" not in machine.steps("deploy-delay-2")


@pytest.fixture
def ownership(monkeypatch):
    """Whether the deployer has the partition of the requests."""
    owned = {"now": True}
    monkeypatch.setattr(Service, "owns", lambda *_: owned["now"])
    return owned


async def test_a_deployer_that_lost_the_partition_breaks_off_what_it_was_doing(machine, ownership):
    entered, left = asyncio.Event(), asyncio.Event()

    async def build_for_ever(_):
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            left.set()

    machine.packager.package = build_for_ever
    machine.train()
    machine.ask(deploy())

    async with machine.deployer():
        await asyncio.wait_for(entered.wait(), DEADLINE_S)
        ownership["now"] = False
        await asyncio.wait_for(left.wait(), DEADLINE_S)

    assert machine.steps("deploy-delay-1") == ["planned"]


async def test_what_another_deployer_decided_meanwhile_stands(machine, ownership, monkeypatch):
    standing_by = asyncio.Event()
    forget = Ledger.forget
    monkeypatch.setattr(Ledger, "forget", lambda ledger: (forget(ledger), standing_by.set()))
    machine.train(trained("delay"), trained("weather"))
    machine.ask(deploy("delay"))

    async with machine.deployer():
        await machine.end_of("deploy-delay-1")
        ownership["now"] = False
        standing_by.clear()
        machine.ask(deploy("weather"))
        machine.write_route(route("delay", routed_version("2"), revision=9))
        await asyncio.wait_for(standing_by.wait(), DEADLINE_S)
        ownership["now"] = True
        await machine.end_of("deploy-weather-1")

    assert [r.revision for r in machine.routes("model/delay")] == [1, 9]
