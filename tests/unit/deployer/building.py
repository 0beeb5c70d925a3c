"""Requests, routes and trained models to test the deployer with."""

from __future__ import annotations

from datetime import UTC, datetime

from ekiben_contracts.deployment import (
    DeploymentProgressed,
    DeploymentRequested,
    DeploymentRetireRequested,
    DeploymentRollbackRequested,
    EnsembleRequested,
    Step,
)
from ekiben_contracts.models import DType, FeatureSpec, InputExample, ProblemType, Role
from ekiben_contracts.routing import EnsembleDefined, ModelRouted, RoutedVersion
from ekiben_contracts.training import ModelTrained
from ekiben_deployer.known import Known
from ekiben_deployer.progress import Progress
from ekiben_deployer.targets import Instance, Served

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SIGNATURE = [FeatureSpec(name="distance", dtype=DType.DOUBLE)]


def trained(model="delay", version="1", **rest):
    given = {
        "model_uri": f"models:/{model}/{version}",
        "problem_type": ProblemType.CLASSIFICATION,
        "signature": SIGNATURE,
        "classes": ["on_time", "late"],
        "input_example": InputExample(features={"distance": 1400.0}, expected=0.25),
        "run_id": "run-1",
        "trained_at": NOW,
    }
    return ModelTrained(model=model, version=version, **{**given, **rest})


def deploy(model="delay", version="1", deployment_id=None, **rest):
    given = {"deployment_id": deployment_id or f"deploy-{model}-{version}", "requested_by": "ada"}
    return DeploymentRequested(model=model, version=version, **given, **rest)


def rollback(model="delay", deployment_id="back"):
    return DeploymentRollbackRequested(
        deployment_id=deployment_id, model=model, reason="too many errors", requested_by="ada"
    )


def retire(model="delay", version="1", deployment_id="retire"):
    return DeploymentRetireRequested(
        deployment_id=deployment_id,
        model=model,
        version=version,
        reason="no longer needed",
        requested_by="ada",
    )


def combine(name="both", members=("delay", "weather"), deployment_id="combine", **rest):
    return EnsembleRequested(
        deployment_id=deployment_id, model=name, members=list(members), requested_by="ada", **rest
    )


def routed_version(version="1", *, port=20_001, weight=10_000, retired_at=None, bento=None, role=None):
    return RoutedVersion(
        version=version,
        url=f"http://127.0.0.1:{port}",
        weight=weight,
        role=role or (Role.CHAMPION if weight else Role.RETIRED),
        signature=SIGNATURE,
        bento=bento or f"delay:{version}-fake",
        retired_at=retired_at,
    )


def shadow_version(version="2", *, port=20_002):
    return routed_version(version, port=port, weight=0, role=Role.SHADOW)


def route(model="delay", *versions, revision=1, routed_at=NOW, **rest):
    given = {"problem_type": ProblemType.CLASSIFICATION, "classes": ["on_time", "late"]}
    return ModelRouted(
        model=model,
        revision=revision,
        versions=list(versions or [routed_version()]),
        routed_at=routed_at,
        **{**given, **rest},
    )


def defined(name="both", members=("delay", "weather"), revision=1):
    return EnsembleDefined(
        ensemble=name, revision=revision, members=list(members), method="average", defined_at=NOW
    )


def known(*, routes=(), ensembles=(), trained=()):
    return Known(
        {one.model: one for one in routes},
        {one.ensemble: one for one in ensembles},
        {(one.model, one.version): one for one in trained},
    )


def instance(model="delay", version="1", *, port=20_001, bento=None, is_up=True):
    served = Served(model, version, bento or f"{model}:{version}-fake")
    return Instance(served, f"http://127.0.0.1:{port}", is_up=is_up)


def told(*steps: Step, version="1", deployment_id="deploy-delay-1", model="delay"):
    return Progress.of(
        DeploymentProgressed(
            deployment_id=deployment_id,
            model=model,
            version=version,
            step=step,
            reason="",
            bento=f"{model}:{version}-fake" if step is Step.PACKAGED else None,
            at=NOW,
        )
        for step in steps
    )
