from __future__ import annotations

import threading
from itertools import pairwise

import pytest

from faults.soak.ledger import Seen, Sent
from faults.soak.nemesis import Fault, Nemesis
from faults.soak.plan import KINDS, Blow, Planned, Victim, plan
from faults.soak.recovery import recoveries


@pytest.mark.parametrize("faults", [12, 20, 50])
@pytest.mark.parametrize("seed", range(5))
def test_every_kind_of_fault_is_planned_in_every_soak(faults, seed):
    planned = plan(faults, seed)
    assert len(planned) == faults
    assert {(each.victim, each.blow) for each in planned} == set(KINDS)


def test_a_seed_is_one_plan_and_another_seed_another():
    assert plan(20, 7) == plan(20, 7)
    assert plan(20, 7) != plan(20, 8)


def test_some_faults_fall_while_another_is_held():
    planned = plan(20, 7)
    assert any(
        one.is_held and then.after_s < one.hold_s and one.victim != then.victim
        for one, then in pairwise(planned)
    )


def test_fewer_faults_than_kinds_are_refused():
    with pytest.raises(ValueError, match="expected at least 12 faults, one of each kind, found 11"):
        plan(11, 0)


class Recording:
    """A victim that writes down what is done to it."""

    needs_lifting = True

    def __init__(self, said, name):
        self.name = name
        self._said = said

    def strike(self):
        self._said.append(f"strike {self.name}")

    def lift(self):
        self._said.append(f"lift {self.name}")

    def is_back(self):
        self._said.append(f"{self.name} is back")
        return True


def test_a_fault_falls_behind_a_burst_and_is_lifted_and_awaited():
    said = []
    told = []
    nemesis = Nemesis(
        aim=lambda planned: Recording(said, planned.victim),
        burst=lambda: said.append("burst"),
        tell=told.append,
    )
    found = nemesis.run([Planned(Victim.BROKER, Blow.KILL, 0.0, 0.0, 0)])
    assert said == ["burst", "strike broker", "lift broker", "broker is back"]
    assert found == told
    assert found[0].kind == (Victim.BROKER, Blow.KILL)
    assert found[0].began <= found[0].lifted <= found[0].back


def test_nobody_is_struck_who_is_down_already():
    said = []

    class Down(Recording):
        def __init__(self, said, name):
            super().__init__(said, name)
            self._looks = 0

        def is_back(self):
            self._looks += 1
            return self._looks > 5 and super().is_back()

    nemesis = Nemesis(aim=lambda planned: Down(said, planned.victim), burst=lambda: None, tell=lambda _: None)
    nemesis.run([Planned(Victim.GATEWAY, Blow.PAUSE, 0.0, 0.0, 0)] * 3)
    one = ["strike inference-gateway", "lift inference-gateway", "inference-gateway is back"]
    assert said == one * 3


def test_others_are_struck_while_one_is_down():
    synthesizer_is_struck = threading.Event()

    class Patient(Recording):
        def strike(self):
            if self.name == Victim.SYNTHESIZER:
                synthesizer_is_struck.set()

        def is_back(self):
            return self.name == Victim.SYNTHESIZER or synthesizer_is_struck.is_set()

    nemesis = Nemesis(
        aim=lambda planned: Patient([], planned.victim), burst=lambda: None, tell=lambda _: None
    )
    victims = (Victim.BROKER, Victim.SYNTHESIZER)
    assert len(nemesis.run([Planned(victim, Blow.PAUSE, 0.0, 0.0, 0) for victim in victims])) == 2


FAULT = Fault(Victim.BROKER, Blow.PAUSE, "broker 1", began=10.0, lifted=14.0, back=15.0)


def sent(request_id, at):
    return Sent(request_id, "mild", 0, 0, at)


def result(request_id, at):
    return Seen(f"{request_id}/result/1", request_id, 0, 0, at=at)


def test_recovery_counts_from_the_end_of_a_fault_to_the_last_answer_of_what_was_sent_before_it():
    requests = [sent("caught", 9.9), sent("during", 13.0), sent("after", 14.5)]
    (found,) = recoveries([FAULT], requests, [], {"caught": 14.2, "during": 16.0, "after": 30.0})
    assert found.seconds == 2.0


def test_nobody_waited_beyond_the_end_of_the_fault():
    (found,) = recoveries([FAULT], [sent("caught", 9.9)], [], {"caught": 12.0})
    assert found.seconds == 0.0


def test_unanswered_at_a_fault_is_what_was_acknowledged_before_it_and_made_after_it():
    requests = [sent("answered", 9.0), sent("caught", 9.9), sent("later", 10.1)]
    made = [result("answered", 9.5), result("caught", 10.2), result("later", 10.3)]
    (found,) = recoveries([FAULT], requests, made, {})
    assert found.unanswered == 1


def test_a_fault_that_nobody_felt_is_seen():
    (found,) = recoveries([FAULT], [sent("answered", 9.0)], [result("answered", 9.5)], {"answered": 9.6})
    assert found.unanswered == 0


def test_unanswered_is_also_what_was_made_before_a_fault_and_could_not_be_acknowledged():
    requests = [sent("stuck", 9.0), sent("read at once", 9.0)]
    made = [result("stuck", 9.5), result("read at once", 9.5)]
    (found,) = recoveries([FAULT], requests, made, {"stuck": 14.0, "read at once": 10.1})
    assert found.unanswered == 1
