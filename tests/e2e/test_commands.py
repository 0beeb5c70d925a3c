"""The commands against a running system."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
from functools import partial
from urllib.request import urlopen

import pytest

from e2e.system import EKIBEN
from e2e.waiting import until

FEATURES = ("-f", "x=2.0", "-f", "y=0.0")


def test_predict_awaits_the_answer(system, fresh):
    result = system.json("predict", "tiny", "e1", *FEATURES, "--request-id", fresh)
    assert (result["request_id"], result["status"], result["label"]) == (fresh, "completed", "yes")


def test_predict_tells_a_failure_by_its_exit_code(system):
    result = system.json("predict", "no-such-model", "e1", *FEATURES, exit_code=4)
    assert result["code"] == "unknown_model"


def test_predict_gives_up_after_its_timeout(system):
    ended = system.ekiben("predict", "tiny", "e1", *FEATURES, "--timeout", "0")
    assert ended.returncode == 5
    assert "ekiben results" in ended.stderr


def test_publish_names_bad_lines_and_publishes_the_good_ones(system, fresh):
    good = {"model": "tiny-keen", "entity_id": "e1", "features": {"x": -1.0, "y": 0.0}}
    lines = [
        json.dumps({**good, "request_id": f"{fresh}-1"}),
        "no JSON",
        "",
        json.dumps({**good, "request_id": f"{fresh}-2", "entity_id": ""}),
        json.dumps({**good, "request_id": f"{fresh}-3"}),
    ]
    ended = system.ekiben("publish", "-", stdin="\n".join(lines))
    assert ended.returncode == 6
    assert ended.stdout == "2 published, 2 bad\n"
    assert "line 2: expected JSON" in ended.stderr
    assert "line 4: entity_id" in ended.stderr
    assert system_results(system, fresh) == {f"{fresh}-1": "completed", f"{fresh}-3": "completed"}


def test_publish_reads_a_file_and_counts_for_machines(system, tmp_path, fresh):
    file = tmp_path / "requests.jsonl"
    request = {"model": "tiny-keen", "entity_id": "e", "features": {"x": 1.0, "y": 0.0}}
    file.write_text(
        "".join(json.dumps({**request, "request_id": f"{fresh}-{n}"}) + "\n" for n in range(3000))
    )
    assert system.json("publish", str(file)) == {"published": 3000, "bad": 0, "bad_lines": []}
    assert len(system_results(system, fresh, count=3000)) == 3000


def test_publish_raw_sends_what_it_gets(system, plain):
    before = {letter["id"] for letter in system.json_lines("dlq", "list", "--ids")}
    assert system.ekiben("publish", "--raw", "-", stdin=b"\xff\xfe no JSON\n").returncode == 0

    def the_new_one():
        return [letter for letter in system.json_lines("dlq", "list", "--ids") if letter["id"] not in before]

    (letter,) = until(the_new_one, "its dead letter")
    shown = system.json("dlq", "show", letter["id"], "--reveal", "--why", "to compare it")
    assert shown["value"] == "\\xff\\xfe no JSON"


def test_results_follow_what_comes(system, plain, fresh):
    command = [EKIBEN, "results", "--limit", "1", "--json"]
    with subprocess.Popen(
        command, env=system.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as reader:
        assert b"Ctrl-C ends it" in reader.stderr.readline()  # from here on nothing is missed
        plain.send(
            {"request_id": fresh, "model": "tiny-keen", "entity_id": "e", "features": {"x": 1, "y": 0}}
        )
        assert json.loads(reader.stdout.readline())["request_id"] == fresh
        assert reader.wait(60) == 0


def test_ctrl_c_ends_following_without_a_traceback(system):
    pipe = subprocess.PIPE
    command, environment = [EKIBEN, "results"], system.environment
    # as on a terminal, also where the tests run in the background of a shell, which ignores it
    listening = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(
        command,
        env=environment,
        stdout=pipe,
        stderr=pipe,
        preexec_fn=listening,  # noqa: PLW1509 - it takes no lock that a thread could hold
    ) as reader:
        assert b"Ctrl-C ends it" in reader.stderr.readline()
        reader.send_signal(signal.SIGINT)
        assert reader.wait(60) == 130
        assert b"Traceback" not in reader.stderr.read()


def test_routes_list_the_models_and_the_ensembles(system):
    routes = system.json("routes")
    assert {route["model"] for route in routes["models"]} == {"tiny-mild", "tiny-keen"}
    (ensemble,) = routes["ensembles"]
    assert (ensemble["ensemble"], ensemble["members"]) == ("tiny", ["tiny-mild", "tiny-keen"])
    shown = system.ekiben("routes").stdout
    assert "tiny-keen" in shown
    assert "\x1b" not in shown


def test_routes_and_metrics_show_how_the_endpoints_do(system, fresh):
    system.json("predict", "tiny-keen", "e1", *FEATURES, "--request-id", fresh)

    def health():
        routed = {route["model"]: route["versions"] for route in system.json("routes")["models"]}
        (version,) = routed["tiny-keen"]
        return version["health"] and version["health"]["requests"] and version

    version = until(health, "a report of the endpoint of tiny-keen")
    assert version["health"]["breaker"] == "closed"
    # what other tests have asked badly a moment ago is there too, and is no fault of the endpoint
    assert version["health"]["errors"].keys() <= {"missing_features", "invalid_request"}
    assert version["health"]["latency_ms"]["p99"] > 0
    port = system.running()["services"]["inference-gateway"]["health_port"]
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        metrics = answer.read().decode()
    labels = f'endpoint="{version["url"]}",model="tiny-keen"'
    assert f'ekiben_endpoint_breaker{{{labels},state="closed",version="1"}} 1.0' in metrics
    assert f'ekiben_endpoint_calls_total{{{labels},outcome="answered",version="1"}}' in metrics
    assert f'ekiben_endpoint_call_seconds_count{{{labels},version="1"}}' in metrics


def test_deploying_what_was_never_trained_fails_and_says_so(system):
    ended = system.ekiben("deploy", "tiny-keen", "99")
    assert ended.returncode == 4
    assert "failed" in ended.stdout


def test_an_ensemble_of_unknown_members_is_refused(system, tmp_path):
    file = tmp_path / "ensembles.yaml"
    file.write_text("ensembles:\n  odd: {members: [tiny-keen, no-such-model]}\n")
    ended = system.ekiben("ensembles", "apply", str(file))
    assert ended.returncode == 4
    assert "no-such-model" in ended.stdout


def test_the_dead_letters_are_counted_and_one_is_shown_in_full(system, plain):
    partition, offset = plain.send(b'{"half": ', headers=[("origin", b"test")])
    plain.dead_letter(partition, offset)
    counted = system.json("dlq", "list", "--group", "inference-gateway")
    assert counted["total"] >= 1
    (undecodable,) = [each for each in counted["dead_letters"] if each["reason"] == "undecodable"]
    assert (undecodable["error_class"], undecodable["group"]) == ("UnreadableError", "inference-gateway")
    dead_letter_id = f"{plain.requests}/inference-gateway/{partition}/{offset}/1"
    letter = system.json("dlq", "show", dead_letter_id)
    hidden = "[redacted] 9 bytes in which nobody can tell what is sensitive"
    assert (letter["value"], letter["headers"], letter["key"]) == (hidden, {"origin": "[redacted]"}, "k")
    assert "Traceback" in letter["error_stack"]
    assert "half" not in system.ekiben("dlq", "show", dead_letter_id).stdout
    asked = ("dlq", "show", dead_letter_id, "--reveal", "--why", "its sender asks")
    letter = system.json(*asked)
    assert (letter["value"], letter["headers"]) == ('{"half": ', {"origin": "test"})
    assert base64.b64decode(letter["value_base64"]) == b'{"half": '
    assert '{"half": ' in system.ekiben(*asked).stdout


def test_nobody_sees_what_is_sensitive_without_a_reason(system):
    ended = system.ekiben("dlq", "show", "nowhere/nobody/0/0/1", "--reveal")
    assert ended.returncode == 2
    assert "expected a reason with --reveal" in ended.stderr


def test_a_dead_letter_that_is_not_there_is_not_found(system):
    assert system.ekiben("dlq", "show", "nowhere/nobody/0/0/1").returncode == 7


@pytest.mark.every_rung
def test_the_topics_are_right_and_applying_them_again_changes_nothing(system):
    applied = system.json("topics", "apply")
    assert applied["created"] == []
    assert system.json("topics", "apply", "--dry-run")["would_create"] == []
    assert {topic["state"] for topic in system.json("topics", "list")["topics"]} == {"right"}


def test_the_topics_of_another_environment_are_planned_and_not_created(system):
    elsewhere = ("--topic-prefix", "elsewhere.")
    planned = system.json("topics", "apply", "--dry-run", *elsewhere)["would_create"]
    assert "elsewhere.ekiben.prediction-requests.inference-gateway.dlq" in planned
    assert system.json("topics", "apply", "--dry-run", *elsewhere)["would_create"] == planned


@pytest.mark.every_rung
def test_the_doctor_finds_a_running_system_right(system):
    checks = system.json("doctor")["checks"]
    assert {check["name"] for check in checks} >= {"broker", "topics", "inference-gateway", "mlflow", "disk"}
    assert [check for check in checks if check["verdict"] != "ok"] == []


def test_a_second_one_in_the_same_home_is_refused(system):
    ended = system.ekiben("up")
    assert ended.returncode == 8
    assert "another one in it" in ended.stderr


def system_results(system, prefix, count=2):
    """The status of each request whose id starts like this, once there are so many."""

    def look():
        read = system.json_lines("results", "--from-beginning", "--no-follow")
        found = {
            result["request_id"]: result["status"]
            for result in read
            if result["request_id"].startswith(prefix)
        }
        return found if len(found) >= count else None

    return until(look, f"{count} results")
