"""What a caller is not told: the words of drivers, brokers and calls that failed hold URLs and paths.

They are the operator's, in the log; a caller learns that it is no fault of the request, and what to do.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace
from structlog.stdlib import get_logger

from ekiben_contracts.prediction import FailureCode
from ekiben_inference_gateway.explanations import Explanations
from ekiben_inference_gateway.refusals import Refusal
from ekiben_inference_gateway.routing import Endpoint
from ekiben_inference_gateway.scoring import Scored

log = get_logger(__name__)

UNEXPLAINED: Final = "unexplained"
_EVERY: Final = timedelta(minutes=1)
_MOST_LETTERS: Final = 2_000
_INSTEAD: Final = {
    FailureCode.MODEL_UNAVAILABLE: "expected an answer of the model and of what it needs, found that one of "
    "them does not answer now; ask again later, or publish to the bus, where requests wait",
    FailureCode.INTERNAL: "expected an answer of the model, found that it failed on this request; ask again, "
    "or send other values under a new request_id",
}


class Withholding:
    """Answers as callers may have them. Why a model did not answer is logged once a minute at the most."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._logged: dict[tuple[str, str], datetime] = {}

    def refusal(self, model: str, found: Refusal, asked: Endpoint | None) -> Refusal:
        """With another message where it tells of the endpoint that was `asked`, or of what is away.

        What a model says of a row stays: its caller has to know what is wrong with it.
        """
        if found.code is not FailureCode.MODEL_UNAVAILABLE and not _names(asked, found.message):
            return found._replace(message=found.message[:_MOST_LETTERS])
        self._log(model, found.code.value, found.message)
        message = _INSTEAD.get(found.code) or _without(asked, found.message)
        return found._replace(message=message[:_MOST_LETTERS])

    def scored(self, model: str, found: Scored) -> Scored:
        """Without what an endpoint said of itself in place of an explanation."""
        if found.explanations is None or not found.explanations.reasons:
            return found
        (asked,), reasons = found.asked.choices, dict(found.explanations.reasons)
        for name, reason in reasons.items():
            if _names(asked.endpoint, reason):
                self._log(model, UNEXPLAINED, reason)
                reasons[name] = "it gave no explanation"
        return replace(found, explanations=Explanations(found.explanations.attributions, reasons))

    def _log(self, model: str, code: str, why: str) -> None:
        now, logged = self._clock(), self._logged.get((model, code))
        if logged is None or now - logged >= _EVERY:
            self._logged[model, code] = now
            log.warning(
                "not told to whoever asked over HTTP", model=model, code=code, why=why[:_MOST_LETTERS]
            )


def _names(asked: Endpoint | None, message: str) -> bool:
    """Every error of a call names its endpoint: see ModelClientError."""
    return asked is not None and _url(asked) in message


def _without(asked: Endpoint | None, message: str) -> str:
    return message if asked is None else message.replace(f" at {_url(asked)}", "").replace(_url(asked), "it")


def _url(asked: Endpoint) -> str:
    return asked.url.rstrip("/")
