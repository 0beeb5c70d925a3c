"""What goes wrong over HTTP, as problem details (RFC 9457), with the codes of prediction.failed."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from math import ceil
from typing import Final

from starlette.responses import Response

from ekiben_contracts.event import Part
from ekiben_contracts.prediction import FailureCode
from ekiben_inference_gateway.http.predicting import BusyError
from ekiben_inference_gateway.refusals import Refusal

PROBLEM_JSON: Final = "application/problem+json"
_COMES_BACK_S: Final = 5


class TransportCode(StrEnum):
    """What can be wrong before there is a prediction request; FailureCode has the rest."""

    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    BODY_TIMEOUT = "body_timeout"
    TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    RATE_LIMITED = "rate_limited"
    BUSY = "busy"
    UNEXPLAINED = "unexplained"


Code = FailureCode | TransportCode

_STATUS: Mapping[Code, tuple[int, str]] = {
    FailureCode.INVALID_REQUEST: (400, "The request is invalid"),
    TransportCode.UNAUTHENTICATED: (401, "Nobody says who is asking"),
    TransportCode.FORBIDDEN: (403, "The caller may not do this"),
    FailureCode.UNKNOWN_MODEL: (404, "No such model takes traffic"),
    TransportCode.NOT_FOUND: (404, "There is nothing here"),
    TransportCode.METHOD_NOT_ALLOWED: (405, "The method does not apply here"),
    TransportCode.BODY_TIMEOUT: (408, "The body did not arrive in time"),
    TransportCode.TOO_LARGE: (413, "The body is too large"),
    TransportCode.UNSUPPORTED_MEDIA_TYPE: (415, "The content type is not understood"),
    FailureCode.MISSING_FEATURES: (422, "Features are missing"),
    # not 504: proxies and clients send those again, and a deadline stays past
    FailureCode.DEADLINE_EXCEEDED: (422, "The deadline is past"),
    TransportCode.UNEXPLAINED: (422, "The model answered without an explanation"),
    TransportCode.RATE_LIMITED: (429, "The caller asks too often"),
    FailureCode.INTERNAL: (500, "The model or the gateway failed on this request"),
    FailureCode.MODEL_UNAVAILABLE: (503, "The model does not answer now"),
    FailureCode.INSUFFICIENT_MODELS: (503, "Too few models answer now"),
    TransportCode.BUSY: (503, "Too much is waiting"),
}
_COME_AGAIN = frozenset({FailureCode.MODEL_UNAVAILABLE, FailureCode.INSUFFICIENT_MODELS})


class Problem(Part):
    """One problem: `code` to switch on, `detail` says what was expected, what was found, what to try."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str | None = None


class ProblemError(Exception):
    """Ends a request with a problem."""

    def __init__(
        self,
        code: Code,
        detail: str,
        *,
        request_id: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.problem = problem(code, detail, request_id)
        self.headers = {**(headers or {})}


def problem(code: Code, detail: str, request_id: str | None = None) -> Problem:
    """The problem of a code, with its status."""
    status, title = _STATUS[code]
    return Problem(
        type=f"urn:ekiben:problem:{code.value}",
        title=title,
        status=status,
        detail=detail,
        code=code.value,
        request_id=request_id,
    )


def refused(refusal: Refusal, request_id: str | None = None) -> ProblemError:
    """A refusal of the scoring core."""
    headers = {"Retry-After": str(_COMES_BACK_S)} if refusal.code in _COME_AGAIN else {}
    return ProblemError(refusal.code, refusal.message, request_id=request_id, headers=headers)


def busy(error: BusyError) -> ProblemError:
    """More is waiting than may wait."""
    return come_again(TransportCode.BUSY, str(error), error.retry_after_s)


def come_again(code: TransportCode, detail: str, after_s: float) -> ProblemError:
    """Refused now, not for ever."""
    return ProblemError(code, detail, headers={"Retry-After": str(max(1, ceil(after_s)))})


def respond(error: ProblemError) -> Response:
    """The response that says it."""
    content = error.problem.model_dump_json(exclude_none=True)
    return Response(content, error.problem.status, error.headers, PROBLEM_JSON)


def statuses() -> Mapping[int, list[str]]:
    """Every status that a problem may have, with the codes it stands for."""
    found: dict[int, list[str]] = {}
    for code, (status, _) in _STATUS.items():
        found.setdefault(status, []).append(code.value)
    return found
