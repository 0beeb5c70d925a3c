#!/bin/sh
# Make .venv from requirements.lock: every package at its locked version, each file checked by its SHA-256.
set -eu

lowest=11 highest=13

suitable() {
    command -v "$1" >/dev/null 2>&1 &&
        "$1" -c "import sys; sys.exit(not (3, $lowest) <= sys.version_info[:2] <= (3, $highest))" 2>/dev/null
}

python=
for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
    if suitable "$candidate"; then python=$candidate; break; fi
done
if [ -z "$python" ]; then
    echo "setup: expected Python 3.$lowest to 3.$highest, found $(python3 --version 2>&1 || echo none)." >&2
    echo "       Install one of them, or name it: make setup PYTHON=/path/to/python3.12" >&2
    exit 1
fi
if ! "$python" -c "import ensurepip, venv" 2>/dev/null; then
    echo "setup: $python has no venv module. On Debian and Ubuntu: apt-get install python3-venv" >&2
    exit 1
fi

[ -x .venv/bin/python ] && suitable .venv/bin/python || { rm -rf .venv; "$python" -m venv .venv; }
# uv and what builds packages, by hash as well: nothing is run here that is not locked
[ -x .venv/bin/uv ] || .venv/bin/python -m pip install --quiet --disable-pip-version-check \
    --require-hashes --only-binary :all: -r locks/build.lock
# the system's certificates: also right behind a proxy that inspects TLS
export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-1}"
.venv/bin/uv pip sync --quiet --compile-bytecode --require-hashes --build-constraints locks/build.lock requirements.lock
# ours, in place; built by the locked hatchling, not by the newest there is
set --
for distribution in contracts libs/* services/* examples/*; do
    [ ! -f "$distribution/pyproject.toml" ] || set -- "$@" --editable "./$distribution"
done
.venv/bin/uv pip install --quiet --no-deps --no-build-isolation "$@"
touch .venv/.installed
