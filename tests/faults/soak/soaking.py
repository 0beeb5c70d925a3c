"""The soak itself: a real `ekiben up` on three brokers, an outside client, a nemesis, and the ledger."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from e2e.system import System, running
from e2e.waiting import until
from ekiben_bus.brokers.embedded_cluster import EmbeddedCluster
from faults.soak.client import Listener, Publisher, read_to_the_end
from faults.soak.ledger import audit
from faults.soak.nemesis import Fault, Nemesis
from faults.soak.plan import Planned, Victim, plan
from faults.soak.recovery import recoveries
from faults.soak.report import Report
from faults.soak.victims import BrokerTarget, ModelTarget, ServiceTarget, Target

REQUESTS = "ekiben.prediction-requests"
OUTPUTS = "ekiben.model-outputs"
RESULTS = "ekiben.prediction-results"
ASIDE = tuple(
    f"{topic}.{purpose}"
    for topic, purposes in {
        f"{REQUESTS}.inference-gateway": ("parked", "retry-5s", "retry-1m", "retry-10m", "replay"),
        f"{OUTPUTS}.synthesizer": ("replay",),
    }.items()
    for purpose in purposes
)
MEMBERS = ("tiny-mild", "tiny-keen")
ENSEMBLE = "tiny"
_QUIET_S = 75
"""Longer than the longest but one of the retries, and than any wait for an endpoint to be asked again."""
_SECONDS_A_FAULT = 12.0

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Soak:
    """How much, how often, and by which chance. Half of the requests stream, half burst at the faults."""

    requests: int
    faults: int
    seed: int

    @property
    def burst(self) -> int:
        return self.requests // 2 // self.faults

    @property
    def streamed(self) -> int:
        return self.requests - self.burst * self.faults

    @property
    def per_s(self) -> float:
        return self.streamed / (self.faults * _SECONDS_A_FAULT)


def soak(asked: Soak, home: Path, tell: Tell) -> Report:
    """Run it, from the first broker to the last; the report says what went wrong.

    Raises:
        TimeoutError: a victim never came back.
        ValueError: fewer faults than kinds.
    """
    began = time.monotonic()
    planned = plan(asked.faults, asked.seed)
    prefix = f"soak-{secrets.token_hex(3)}."
    with EmbeddedCluster(home / "kafka", progress=tell) as cluster:
        tell("three brokers answer")
        with serving(home / "home", cluster.bootstrap_servers, prefix) as system:
            tell("`ekiben up` serves two models and an ensemble of them")
            return _under_attack(asked, planned, cluster, system, prefix, began, tell)


@contextmanager
def serving(home: Path, servers: str, prefix: str) -> Iterator[System]:
    """An `ekiben up` on these brokers with the models deployed."""
    environment = {"KAFKA_BOOTSTRAP_SERVERS": servers, "EKIBEN_TOPIC_PREFIX": prefix}
    with running(home, environment) as system:
        system.train(*MEMBERS)
        with ThreadPoolExecutor() as terminals:
            for deployed in terminals.map(lambda member: system.ekiben("deploy", member, "1"), MEMBERS):
                assert deployed.returncode == 0, deployed
        defined = system.ekiben("ensembles", "define", ENSEMBLE, *MEMBERS)
        assert defined.returncode == 0, defined
        yield system


def _under_attack(
    asked: Soak,
    planned: list[Planned],
    cluster: EmbeddedCluster,
    system: System,
    prefix: str,
    began: float,
    tell: Tell,
) -> Report:
    servers = cluster.bootstrap_servers
    listener = Listener(servers, prefix + RESULTS)
    publisher = Publisher(
        servers,
        prefix + REQUESTS,
        (*MEMBERS, ENSEMBLE),
        asked.requests,
        streamed=asked.streamed,
        per_s=asked.per_s,
    )
    nemesis = Nemesis(
        aim=partial(_aim, cluster=cluster, system=system),
        burst=partial(publisher.burst, asked.burst),
        tell=lambda fault: tell(_line(fault)),
    )
    faults = nemesis.run(planned)
    publisher.finish()
    tell(f"{len(publisher.sent):,} requests were acknowledged; waiting for the last answers")
    _wait_for_answers(asked, listener)
    listener.close()
    results = list(read_to_the_end(servers, prefix + RESULTS))
    outputs = list(read_to_the_end(servers, prefix + OUTPUTS))
    aside = {seen.request_id for topic in ASIDE for seen in read_to_the_end(servers, prefix + topic)}
    answered_at = listener.answered_at
    return Report(
        seed=asked.seed,
        audit=audit(publisher.sent, outputs, results, aside),
        recoveries=tuple(recoveries(faults, publisher.sent, results, answered_at)),
        longest_wait_s=max(answered_at.get(one.request_id, one.at) - one.at for one in publisher.sent),
        took_s=time.monotonic() - began,
    )


def _aim(planned: Planned, *, cluster: EmbeddedCluster, system: System) -> Target:
    match planned.victim:
        case Victim.BROKER:
            return BrokerTarget(cluster, planned.draw, planned.blow)
        case Victim.MODEL:
            return ModelTarget(system, planned.draw, planned.blow)
        case Victim.GATEWAY | Victim.SYNTHESIZER as service:
            return ServiceTarget(system, service, planned.blow)


def _wait_for_answers(asked: Soak, listener: Listener) -> None:
    """Until all are there, or none comes any more: the ledger will tell what is missing."""
    before = -1
    while before < (answered := len(listener.answered_at)) < asked.requests:
        before = answered
        with suppress(TimeoutError):
            until(lambda: len(listener.answered_at) >= asked.requests, "every answer", _QUIET_S)


def _line(fault: Fault) -> str:
    held, back = fault.lifted - fault.began, fault.back - fault.began
    return (
        f"{fault.name} {fault.blow}" + (f" for {held:.1f} s" if held else "") + f", back after {back:.1f} s"
    )
