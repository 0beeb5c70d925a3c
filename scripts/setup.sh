#!/bin/sh
# Make .venv from requirements.lock: every package at its locked version and hash.
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
[ -x .venv/bin/uv ] || .venv/bin/python -m pip install --quiet --disable-pip-version-check "uv>=0.9"
# the system's certificates: also right behind a proxy that inspects TLS
UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-1} .venv/bin/uv pip sync --quiet --compile-bytecode requirements.lock
touch .venv/.installed
