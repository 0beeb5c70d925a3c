"""What goes wrong under /v2: the house's problem details with the protocol's `error` among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.responses import JSONResponse, Response

from ekiben_contracts.prediction import FailureCode
from ekiben_inference_gateway.http import problems
from ekiben_inference_gateway.http.problems import ProblemError, problem, refused
from ekiben_inference_gateway.http.v2.refused import RefusedError
from ekiben_inference_gateway.refusals import Refusal
from ekiben_inference_gateway.scoring import Scored

_MOST_NAMED: Final = 5


def respond(path: str, error: ProblemError) -> Response:
    """The response that says it. Clients of the protocol read `error` and nothing else."""
    if not f"{path}/".startswith("/v2/"):
        return problems.respond(error)
    told = error.problem.model_dump(exclude_none=True)
    return JSONResponse({"error": error.problem.detail, **told}, error.problem.status, error.headers)


def invalid(error: RefusedError) -> ProblemError:
    """The request is at fault."""
    return ProblemError(FailureCode.INVALID_REQUEST, str(error))


def every_row(answers: Sequence[Scored | Refusal]) -> list[Scored]:
    """The answers where every row has one: the protocol knows no answer to a part of a request.

    Raises:
        ProblemError: rows were refused; its code is that of the gravest.
    """
    found = [answer for answer in answers if isinstance(answer, Scored)]
    if len(found) == len(answers):
        return found
    rows = {row: answer for row, answer in enumerate(answers) if isinstance(answer, Refusal)}
    gravest = max(rows.values(), key=lambda refusal: problem(refusal.code, "").status)
    if len(answers) == 1:
        raise refused(gravest)
    named = [f"row {row}: {refusal.message}" for row, refusal in list(rows.items())[:_MOST_NAMED]]
    more = [f"and {len(rows) - _MOST_NAMED} rows more"] if len(rows) > _MOST_NAMED else []
    kept = f". The other {len(found)} rows fit: send them again without these" if found else ""
    raise refused(Refusal(gravest.code, "; ".join([*named, *more]) + kept))
