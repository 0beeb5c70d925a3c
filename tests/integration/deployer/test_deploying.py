from __future__ import annotations

import asyncio

import pytest

from ekiben_contracts.deployment import Step
from ekiben_contracts.topics import DEPLOYMENT_REQUESTS, TRAINED_MODELS
from ekiben_contracts.training import ModelTrained
from ekiben_deployer.supervisor.processes import marked
from ekiben_mlops.registry import Registry
from ekiben_serving.http_client import HTTPModelClient
from integration.deployer.children import kill_hard, runs
from integration.deployer.deployers import PATIENCE_S, Deployers
from unit.deployer.building import deploy, rollback

pytestmark = pytest.mark.kafka

DIRECT = ["planned", "packaged", "started", "warmed_up", "routed", "promoted", "retired", "completed"]


async def answer_of(url: str, trained: ModelTrained) -> float:
    """What the version answers to its input example, asked as the gateway asks, once it answers."""
    client = HTTPModelClient(trained.model, url, version=trained.version, signature=trained.signature)
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not (await client.health()).ready:
                await asyncio.sleep(0.1)
            return (await client.predict("UA1", trained.input_example.features)).value
    finally:
        await client.close()


def steps(deployers: Deployers, deployment_id: str) -> list[str]:
    return [event.step.value for event in deployers.told(deployment_id)]


async def test_versions_are_deployed_one_after_the_other_and_rolled_back(deployers, versions, tools):
    first, _second = versions
    await deployers.send(TRAINED_MODELS, *versions)
    await deployers.send(DEPLOYMENT_REQUESTS, deploy(version="1"), deploy(version="2"), rollback())
    deployers.start()

    await deployers.step("deploy-delay-1", Step.COMPLETED)
    assert (
        await answer_of(deployers.revisions("delay")[0].versions[0].url, first)
        == first.input_example.expected
    )
    await deployers.step("deploy-delay-2", Step.COMPLETED)
    turned = deployers.revisions("delay")[1]
    assert [(v.version, v.weight) for v in turned.versions] == [("2", 10_000), ("1", 0)]
    end = await deployers.step("back", Step.COMPLETED)

    assert [steps(deployers, one) for one in ("deploy-delay-1", "deploy-delay-2", "back")] == [DIRECT] * 3
    assert end.version == "1"
    assert await answer_of(deployers.champion("delay").url, first) == first.input_example.expected
    assert Registry(tools).alias("delay", "champion") == "1"
    assert Registry(tools).version("delay", "2").tags["stage"] == "Archived"


async def test_a_killed_child_answers_again_at_the_url_of_its_route(deployers, versions):
    first, _ = versions
    await deployers.send(TRAINED_MODELS, first)
    await deployers.send(DEPLOYMENT_REQUESTS, deploy())
    deployers.start()
    await deployers.step("deploy-delay-1", Step.COMPLETED)
    url = deployers.champion("delay").url
    child = deployers.home.child("delay@1").process

    for process in marked(f"{deployers.home.home.serving}/delay@1"):
        await asyncio.to_thread(kill_hard, process.pid)

    assert await answer_of(url, first) == first.input_example.expected
    assert deployers.home.child("delay@1").process != child
    assert len(deployers.revisions("delay")) == 1


@pytest.mark.parametrize("step", [Step.PLANNED, Step.STARTED, Step.WARMED_UP, Step.ROUTED])
async def test_a_deployer_killed_on_the_way_is_followed_by_one_that_finishes_once(deployers, versions, step):
    first, _ = versions
    await deployers.send(TRAINED_MODELS, first)
    await deployers.send(DEPLOYMENT_REQUESTS, deploy())
    deployer = deployers.start()
    await deployers.step("deploy-delay-1", step)

    await deployers.kill(deployer)
    before = deployers.home.child("delay@1")
    deployers.start()
    await deployers.step("deploy-delay-1", Step.COMPLETED)

    assert steps(deployers, "deploy-delay-1") == DIRECT
    assert [route.revision for route in deployers.revisions("delay")] == [1]
    assert await answer_of(deployers.champion("delay").url, first) == first.input_example.expected
    if before is not None and before.process is not None:  # what already ran was not started again
        assert deployers.home.child("delay@1").process == before.process


async def test_what_is_deployed_outlives_its_deployer_and_is_adopted_by_the_next(deployers, versions):
    await deployers.send(TRAINED_MODELS, *versions)
    await deployers.send(DEPLOYMENT_REQUESTS, deploy(version="1"))
    deployer = deployers.start()
    await deployers.step("deploy-delay-1", Step.COMPLETED)
    child = deployers.home.child("delay@1")

    deployer.terminate()
    assert await asyncio.to_thread(deployer.wait, PATIENCE_S) == 0
    assert runs(child.process.pid)
    deployers.start()
    await deployers.send(DEPLOYMENT_REQUESTS, deploy(version="1", deployment_id="again"))
    await deployers.step("again", Step.COMPLETED)

    assert deployers.home.child("delay@1") == child
    assert len(deployers.revisions("delay")) == 1


async def test_after_a_reboot_the_routed_children_run_again_at_their_urls(deployers, versions):
    first, _ = versions
    await deployers.send(TRAINED_MODELS, first)
    await deployers.send(DEPLOYMENT_REQUESTS, deploy())
    deployer = deployers.start()
    await deployers.step("deploy-delay-1", Step.COMPLETED)
    url = deployers.champion("delay").url
    await deployers.kill(deployer)
    await asyncio.to_thread(deployers.home.stop)
    assert marked(f"{deployers.home.home.serving}/") == []

    deployers.start()

    assert await answer_of(url, first) == first.input_example.expected
    assert len(deployers.revisions("delay")) == 1


async def test_a_wrong_answer_to_the_input_example_ends_without_a_route_and_without_a_child(
    deployers, versions
):
    first, _ = versions
    wrong = first.input_example.model_copy(update={"expected": first.input_example.expected + 0.01})
    await deployers.send(TRAINED_MODELS, first.model_copy(update={"input_example": wrong}))
    await deployers.send(DEPLOYMENT_REQUESTS, deploy())
    deployers.start()

    end = await deployers.step("deploy-delay-1", Step.FAILED)

    assert "for the input example, found" in end.reason
    assert deployers.revisions("delay") == []
    assert deployers.home.home.desired.read() == {}


async def test_a_model_of_another_registry_is_not_packaged(deployers, versions):
    first, _ = versions
    await deployers.send(TRAINED_MODELS, first.model_copy(update={"model_uri": "file:///etc"}))
    await deployers.send(DEPLOYMENT_REQUESTS, deploy())
    deployers.start()

    end = await deployers.step("deploy-delay-1", Step.FAILED)

    assert "expected models:/NAME/VERSION" in end.reason
