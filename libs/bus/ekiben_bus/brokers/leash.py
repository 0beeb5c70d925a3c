"""Run a command that never outlives its owner: `python leash.py COMMAND…`.

The owner holds the other end of this process's standard input. When that closes, because the owner
asks for the end or because it died, even by SIGKILL, the command is ended: SIGTERM first, SIGKILL
after a grace. A pipe is sure where PR_SET_PDEATHSIG alone is not: that one fires when the *thread*
that started the child ends, and only on Linux. It is used one step down, so that the command dies
with this process too.

The first line on standard output is the command's pid; its own output goes to standard error.
The standard library only, so that `python -I -S` starts it in a few hundredths of a second.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from types import FrameType

GRACE_S = 10.0
_PR_SET_PDEATHSIG = 1
_SIGNALLED = 128
"""And the signal's number: the exit code of a command that a signal ended, as shells count."""


def run(command: list[str]) -> int:
    """Run the command to its end, or until the owner is gone; its exit code, 128 + n for signal n."""
    child = subprocess.Popen(  # noqa: S603 - the owner's own command
        command,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        # safe: no thread has been started yet
        preexec_fn=_dying_with(os.getpid()) if sys.platform == "linux" else None,  # noqa: PLW1509
    )
    threading.Thread(target=_end_without_owner, args=(child,), daemon=True).start()

    def on_sigterm(_signal: int, _frame: FrameType | None) -> None:
        _end(child)

    signal.signal(signal.SIGTERM, on_sigterm)
    sys.stdout.write(f"{child.pid}\n")
    sys.stdout.flush()
    code = child.wait()
    return code if code >= 0 else 128 - code


def _dying_with(parent: int) -> Callable[[], None]:
    libc = ctypes.CDLL(None)

    def in_child() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the call
            os._exit(1)

    return in_child


def _end_without_owner(child: subprocess.Popen[bytes]) -> None:
    while os.read(0, 4096):
        pass
    _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    killer = threading.Timer(GRACE_S, child.kill)
    killer.daemon = True
    killer.start()


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
