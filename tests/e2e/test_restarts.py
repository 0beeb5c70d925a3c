"""SIGKILL in the middle of a replay: started again, and one result for each request."""

from __future__ import annotations

import json
import os
import signal

from e2e.waiting import until

EACH = 2_000


def requests(fresh, part):
    features = {"x": 1.0, "y": 0.0}
    return [
        {
            "request_id": f"{fresh}-{part}-{n}",
            "model": "tiny",
            "entity_id": f"e{n % 50}",
            "features": features,
        }
        for n in range(EACH)
    ]


def test_killed_services_are_started_again_and_every_request_has_one_result(system, plain, fresh):
    sent = []
    for part, service in enumerate(("inference-gateway", "synthesizer", None)):
        batch = requests(fresh, part)
        sent += [request["request_id"] for request in batch]
        plain.send_many(batch)
        if service is not None:
            kill_in_the_middle(system, plain, service, first=batch[0]["request_id"])
    found = plain.results(sent)
    ids = {
        request_id: {dict(m.headers())["ce_id"] for m in messages} for request_id, messages in found.items()
    }
    assert ids == {request_id: {f"{request_id}/result/1".encode()} for request_id in sent}
    read = system.json_lines("results", "--from-beginning", "--no-follow")
    once = sorted(result["request_id"] for result in read if result["request_id"].startswith(fresh))
    assert once == sorted(sent)
    assert all(json.loads(messages[0].value())["status"] == "completed" for messages in found.values())


def kill_in_the_middle(system, plain, service, first):
    """Kill a service once the first request of a batch is answered: the others are on their way."""
    plain.results([first])
    killed, deaths = system.pid_of(service), len(system.told(service, "died"))
    os.kill(killed, signal.SIGKILL)
    until(lambda: len(system.told(service, "died")) > deaths, f"{service} to be missed")
    until(lambda: system.pid_of(service) != killed, f"{service} to be started again")
    assert "was killed by SIGKILL; starting it again" in system.told(service, "died")[-1]["detail"]
    assert f"--- ekiben up: {service} was killed by SIGKILL" in system.log_of(service)
