"""What can go wrong when a model is asked, by what the caller does about it.

    ModelClientError                the model and the endpoint it was asked at
     ├─ ModelUnavailableError       it cannot answer now: keep the requests until it does
     │   ├─ ModelTimeoutError       no answer within the timeout, or within what was left of the budget
     │   ├─ EndpointBusyError       not asked: all the calls that it is given at a time were under way
     │   └─ BreakerOpenError        not even asked: it failed too often just now
     ├─ ModelTransientError         it answered and broke: try again some times, later; never wait for it,
     │                              for the requests themselves may be what breaks it
     └─ ModelProtocolError          asking the same again ends the same: answer or dead-letter the requests
         ├─ BadRequestError         it refuses what was sent
         ├─ BadResponseError        what it answered cannot be used
         └─ NoExplainerError        it predicts, and explains nothing: do without an explanation

A single bad row is no exception in a batch: it has a RowError in its place. `kind` is what each is counted
as, in metrics and in what is reported of an endpoint's health.
"""

from __future__ import annotations

from typing import ClassVar


class ModelClientError(Exception):
    """A call to a model that gave no answer. Its message says what was expected, found and to try."""

    kind: ClassVar[str] = "error"

    def __init__(self, model: str, endpoint: str, message: str) -> None:
        super().__init__(f"model {model} at {endpoint}: {message}")
        self.model = model
        self.endpoint = endpoint


class ModelUnavailableError(ModelClientError):
    """Connection refused, or lost before any answer, or 429, 502, 503, 504, until the retries were over.

    `retry_after_s` is what the endpoint, or its breaker, asked to wait; None where it did not say.
    """

    kind = "unavailable"

    def __init__(
        self, model: str, endpoint: str, message: str, *, retry_after_s: float | None = None
    ) -> None:
        super().__init__(model, endpoint, message)
        self.retry_after_s = retry_after_s


class ModelTimeoutError(ModelUnavailableError):
    """The endpoint took longer than the timeout, or than the budget of the batch. Not retried."""

    kind = "timeout"


class EndpointBusyError(ModelUnavailableError):
    """No call slot of this endpoint became free within the time there was. Not retried."""

    kind = "busy"


class BreakerOpenError(ModelUnavailableError):
    """The circuit breaker of this endpoint is open, or its one probe is under way."""

    kind = "breaker_open"


class ModelTransientError(ModelClientError):
    """500 or another 5xx, broken HTTP, or an answer that was cut off: it lives, and may do better later."""

    kind = "transient"


class ModelProtocolError(ModelClientError):
    """The two sides do not understand each other; time will not mend it."""


class BadRequestError(ModelProtocolError):
    """The endpoint answered 4xx, its `status`, or `predict` was given a row that breaks the signature."""

    kind = "bad_request"

    def __init__(self, model: str, endpoint: str, message: str, *, status: int | None = None) -> None:
        super().__init__(model, endpoint, message)
        self.status = status


class BadResponseError(ModelProtocolError):
    """Another status, a wrong content type, frame, model or row count, or too large a body."""

    kind = "bad_response"


class NoExplainerError(ModelProtocolError):
    """Somebody's own Bento, or one packaged without shap: it has no attributions to give."""

    kind = "no_explainer"
