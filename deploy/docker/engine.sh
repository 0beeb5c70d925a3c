#!/usr/bin/env bash
# A Docker engine on a Debian machine without an init system, as CI machines are.
#
#   deploy/docker/engine.sh up      start one and wait until it answers; does nothing where one does
#   deploy/docker/engine.sh down    stop the one that `up` started, with its containers; no other
#
# Needs root. Installs Debian's docker.io, iptables and busybox-static where they are missing.
set -euo pipefail

state=${EKIBEN_DOCKER_STATE:-/var/run/ekiben-docker}
pidfile=$state/dockerd.pid
log=$state/dockerd.log
patience_s=60

answers() { docker info >/dev/null 2>&1; }

alive() { [ -s "$pidfile" ] && kill -0 "$(cat "$pidfile")" 2>/dev/null; }

fail() {
    echo "engine.sh: $1" >&2
    [ ! -s "$log" ] || { echo "the end of $log:" >&2; tail -n 20 "$log" >&2; }
    exit 1
}

install_missing() {
    local packages=()
    command -v dockerd >/dev/null || packages+=(docker.io iptables)
    # the images that are built here take their shell from it
    command -v busybox >/dev/null || packages+=(busybox-static)
    [ ${#packages[@]} -gt 0 ] || return 0
    echo "engine.sh: installing ${packages[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
}

up() {
    install_missing
    if answers; then echo "engine.sh: an engine answers already"; return; fi
    mkdir -p "$state"
    # all three descriptors away, or whoever reads this script's output waits for the engine to end
    setsid nohup dockerd --pidfile "$pidfile" >"$log" 2>&1 </dev/null &
    local started=$!
    for _ in $(seq $((patience_s * 5))); do
        if answers; then
            echo "engine.sh: Docker $(docker version --format '{{.Server.Version}}') answers"
            return
        fi
        kill -0 "$started" 2>/dev/null || fail "expected dockerd to run, it ended"
        sleep 0.2
    done
    fail "expected Docker to answer within $patience_s s"
}

down() {
    if ! alive; then echo "engine.sh: no engine of ours runs"; return; fi
    kill "$(cat "$pidfile")"
    for _ in $(seq $((patience_s * 5))); do
        if ! alive; then echo "engine.sh: stopped"; return; fi
        sleep 0.2
    done
    fail "expected dockerd to stop within $patience_s s"
}

case ${1:-} in
    up) up ;;
    down) down ;;
    *) echo "usage: engine.sh up | down" >&2; exit 2 ;;
esac
