"""SIGKILL in the middle of a replay: started again, and one result for each request."""

from __future__ import annotations

import json
import os
import signal
import threading

import pytest

from e2e.waiting import until

pytestmark = pytest.mark.every_rung
CHUNK = 100
PACE_S = 0.05


class Replay(threading.Thread):
    """Sends requests without a pause, whatever happens to who answers them, until it is told to end."""

    def __init__(self, plain, prefix):
        super().__init__(daemon=True)
        self.sent = []
        self._plain = plain
        self._prefix = prefix
        self._end = threading.Event()

    def run(self):
        asked = {"model": "tiny", "features": {"x": 1.0, "y": 0.0}}
        while not self._end.wait(PACE_S):
            numbers = range(len(self.sent), len(self.sent) + CHUNK)
            ids = [f"{self._prefix}-{number}" for number in numbers]
            self._plain.send_many([{**asked, "request_id": each, "entity_id": each[-2:]} for each in ids])
            self.sent += ids

    def end(self):
        self._end.set()
        self.join()
        return self.sent


def test_killed_services_are_started_again_and_every_request_has_one_result(system, plain, fresh):
    replay = Replay(plain, fresh)
    replay.start()
    until(lambda: replay.sent, "the replay to begin")
    plain.results(replay.sent[:1])
    for service in ("inference-gateway", "synthesizer"):
        kill_and_see_it_again(system, service)
        plain.results(replay.sent[-1:])  # what was sent while nobody answered is answered too
    sent = replay.end()
    found = plain.results(sent)
    for request_id, messages in found.items():
        assert {dict(each.headers())["ce_id"] for each in messages} == {f"{request_id}/result/1".encode()}
    assert {json.loads(messages[0].value())["status"] for messages in found.values()} == {"completed"}
    read = system.json_lines("results", "--from-beginning", "--no-follow")
    once = sorted(result["request_id"] for result in read if result["request_id"].startswith(fresh))
    assert once == sorted(sent)


def kill_and_see_it_again(system, service):
    killed, deaths = system.pid_of(service), len(system.told(service, "died"))
    os.kill(killed, signal.SIGKILL)
    until(lambda: len(system.told(service, "died")) > deaths, f"{service} to be missed")
    until(lambda: system.pid_of(service) != killed, f"{service} to be started again")
    assert "was killed by SIGKILL; starting it again" in system.told(service, "died")[-1]["detail"]
    assert f"--- ekiben up: {service} was killed by SIGKILL" in system.log_of(service)
