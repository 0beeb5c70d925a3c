"""Errors on the terminal: expected, found, try; never a traceback."""

from __future__ import annotations

import os
import traceback

from pydantic import ValidationError

from ekiben import errors
from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.output import Output
from ekiben_bus.administration import TopicsError
from ekiben_bus.brokers.errors import BrokerError
from ekiben_bus.errors import ConnectionSettingsError
from ekiben_bus.forbidden import ForbiddenError
from ekiben_contracts.wording import describe

_CODES: tuple[tuple[type[Exception], ExitCode], ...] = (
    (errors.InvalidInputError, ExitCode.BAD_INPUT),
    (errors.NoAnswerError, ExitCode.NO_ANSWER),
    (errors.NotFoundError, ExitCode.NOT_FOUND),
    (errors.GroupInUseError, ExitCode.NEGATIVE),
    (errors.AlreadyRunningError, ExitCode.NOT_STARTED),
    (errors.StartError, ExitCode.NOT_STARTED),
    (errors.EkibenError, ExitCode.NO_BROKER),
    (BrokerError, ExitCode.NOT_STARTED),
    (TopicsError, ExitCode.NO_BROKER),
    (ForbiddenError, ExitCode.NO_BROKER),
    (ConnectionSettingsError, ExitCode.NO_BROKER),
    (ValidationError, ExitCode.USAGE),
)


def fail(error: Exception, output: Output) -> ExitCode:
    """Say what went wrong; the exit code that goes with it."""
    for kind, code in _CODES:
        if isinstance(error, kind):
            output.error(_lines(error))
            return code
    output.error(
        {"a bug": f"{type(error).__name__}: {error}", "try": "EKIBEN_TRACEBACK=1, and report what it says"}
    )
    if os.environ.get("EKIBEN_TRACEBACK"):
        traceback.print_exception(error)
    return ExitCode.BUG


def _lines(error: Exception) -> dict[str, str]:
    if isinstance(error, errors.EkibenError):
        return {"expected": error.expected, "found": error.found, "try": error.attempt}
    if isinstance(error, ValidationError):
        return {"expected": f"valid {error.title} in the environment", "found": describe(error)}
    return {"error": str(error)}
