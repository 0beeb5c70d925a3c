"""Asks a service on this machine how it is: `python -m ekiben_bus.probe [livez|readyz]`.

For the health check of a container and an exec probe of Kubernetes: /livez and /readyz listen on
loopback, so who asks has to be inside. Exit code 0 for yes, 1 for no or no answer; says why.
"""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request

_TIMEOUT_S = 2


def ask(page: str, host: str, port: int) -> tuple[bool, str]:
    """Whether the answer is yes, and what it was."""
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        # no proxy: this is loopback, whatever the environment says of the rest
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://{address}/{page}", timeout=_TIMEOUT_S) as answer:
            return True, answer.read().decode()
    except urllib.error.HTTPError as error:
        return False, error.read().decode()
    except OSError as error:
        return (
            False,
            f"expected a service to answer at {address}, found {error}; it listens at EKIBEN_HEALTH_PORT",
        )


def main() -> int:
    """Ask; the exit code."""
    page = sys.argv[1] if len(sys.argv) > 1 else "readyz"
    port = os.environ.get("EKIBEN_HEALTH_PORT", "")
    if page not in {"livez", "readyz"} or not port.isdecimal() or int(port) == 0:
        print(f"expected livez or readyz and a fixed EKIBEN_HEALTH_PORT, found {page} and {port or 'none'}")
        return 1
    is_well, told = ask(page, os.environ.get("EKIBEN_HOST", "127.0.0.1"), int(port))
    print(told)
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
