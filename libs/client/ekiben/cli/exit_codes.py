"""The exit codes of `ekiben`: the one place that says what they mean. Scripts may trust them."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ended."""

    OK = 0
    BUG = 1
    USAGE = 2
    NO_BROKER = 3
    NEGATIVE = 4
    NO_ANSWER = 5
    BAD_INPUT = 6
    NOT_FOUND = 7
    NOT_STARTED = 8
    INTERRUPTED = 130

    @property
    def meaning(self) -> str:
        """What it tells, in words."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.OK: "it worked",
    ExitCode.BUG: "a bug in ekiben",
    ExitCode.USAGE: "the command line was not understood",
    ExitCode.NO_BROKER: "no broker is known, it does not answer or refuses us, or it lacks a topic",
    ExitCode.NEGATIVE: "the answer is no: a prediction or deployment failed, a check found a fault",
    ExitCode.NO_ANSWER: "nothing came in time; what was asked stands",
    ExitCode.BAD_INPUT: "some of the input was refused; the rest was published",
    ExitCode.NOT_FOUND: "there is no such thing",
    ExitCode.NOT_STARTED: "a part of the local system did not come up, or another one has this home",
    ExitCode.INTERRUPTED: "interrupted by Ctrl-C",
}


def table() -> str:
    """All of them, one a line, for the help."""
    return "\n".join(f"{code.value:>3}  {code.meaning}" for code in ExitCode)
