"""`ekiben up` from start to end on the embedded Kafka: deployed, killed, up again, drained."""

from __future__ import annotations

import os
import signal

from e2e.system import System, running
from e2e.waiting import until

EMBEDDED = {"EKIBEN_BROKER": "embedded"}
FEATURES = ("-f", "x=2.0", "-f", "y=0.0")


def test_nothing_outlives_it_and_what_was_deployed_comes_back(tmp_path):
    home = tmp_path / "home"
    with running(home, EMBEDDED) as system:
        system.train("tiny-keen")
        assert system.ekiben("deploy", "tiny-keen", "1").returncode == 0
        assert system.json("predict", "tiny-keen", "e1", *FEATURES)["label"] == "yes"
        assert any("bentoml" in " ".join(process.cmdline()) for process in system.processes())
        os.kill(system.running()["pid"], signal.SIGKILL)
        until(lambda: not system.processes(), "all to end with the `ekiben up` that was killed")

    with running(home, EMBEDDED) as system:
        result = system.json("predict", "tiny-keen", "e1", *FEATURES, "--timeout", "120")
        assert (result["status"], result["label"]) == ("completed", "yes")
        kafka = kafka_pid(system)
        os.kill(kafka, signal.SIGKILL)
        until(lambda: len(system.told("kafka", "ready")) > 1, "Kafka to be started again")
        assert system.json("predict", "tiny-keen", "e1", *FEATURES, "--timeout", "120")["label"] == "yes"
        system.send(signal.SIGINT)
        assert system.wait() == 0
        assert system.processes() == []
        assert not (home / "up.json").exists()


def test_ctrl_c_while_it_starts_leaves_nothing_behind(tmp_path):
    system = System(tmp_path / "home", EMBEDDED)
    try:
        system.launch()
        until(lambda: system.told("kafka", "starting"), "it to begin")
        system.send(signal.SIGINT)
        assert system.wait() == 0
        assert system.processes() == []
    finally:
        system.kill_all()


def test_a_second_ctrl_c_hurries(tmp_path):
    with running(tmp_path / "home", EMBEDDED) as system:
        os.kill(system.pid_of("inference-gateway"), signal.SIGSTOP)  # it cannot drain
        system.send(signal.SIGINT)
        until(lambda: system.told("inference-gateway", "stopping"), "it to stop")
        system.send(signal.SIGINT)
        assert system.wait(30) == 0
        assert system.processes() == []


def kafka_pid(system):
    """Of the JVM: the leash that holds it has java in its command line too, as an argument."""
    (pid,) = [process.pid for process in system.processes() if process.name() == "java"]
    return pid
