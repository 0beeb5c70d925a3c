"""Which rows a body fails by, where the model does not say: it is halved and asked again. Pure.

A part that is answered is done; one that fails is halved, the first found first, until its bad rows stand
alone. One bad row of 1,024 takes 20 calls. The calls are bounded, for a model that fails always.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from ekiben_serving.errors import BadRequestError, ModelClientError
from ekiben_serving.model_client import ModelOutput
from ekiben_serving.validation import RowError

MOST_EXTRA_CALLS: Final = 32
"""Beyond the call for the whole body."""


class UnresolvedRowError(RowError):
    """A row of a part that failed and was not looked into: it may be good, and do better in another body."""

    __slots__ = ()


Outcome = ModelOutput | RowError


@dataclass(slots=True)
class Splitting:
    """One body on its way: which part to ask next, and what each row has come to.

    Ask `next_part()` until there is none, telling what came of each; then see `outcomes`.
    """

    rows: int
    calls: int = 0
    is_answered: bool = False
    first_error: ModelClientError | None = None
    _pending: deque[tuple[slice, ModelClientError | None]] = field(init=False)
    _outcomes: dict[int, Outcome] = field(default_factory=dict[int, Outcome])

    def __post_init__(self) -> None:
        self._pending = deque([(slice(0, self.rows), None)] if self.rows else [])

    def next_part(self) -> slice | None:
        """The rows to ask now; None once all is known, or no call is left."""
        if not self._pending or self.calls > MOST_EXTRA_CALLS:
            return None
        self.calls += 1
        return self._pending.popleft()[0]

    def answered(self, part: slice, answers: Sequence[Outcome]) -> None:
        """A part has its answers."""
        self.is_answered = True
        self._outcomes.update(zip(range(part.start, part.stop), answers, strict=True))

    def failed(self, part: slice, error: ModelClientError) -> None:
        """A part failed as a whole: halved, or a row that is bad by itself."""
        self.first_error = self.first_error or error
        middle = (part.start + part.stop) // 2
        if middle > part.start:
            halves = slice(part.start, middle), slice(middle, part.stop)
            self._pending.extend((half, error) for half in halves)
        else:
            self._outcomes[part.start] = _bad(error)

    def away(self, part: slice, error: ModelClientError) -> None:
        """The endpoint stopped answering: nothing more is asked."""
        self.first_error = self.first_error or error
        self._pending.appendleft((part, error))
        self.calls = MOST_EXTRA_CALLS + 1

    def outcomes(self) -> list[Outcome]:
        """What each row has come to, in their order.

        Raises:
            ModelClientError: no part was answered, so that nothing says that it is the rows: the first error.
        """
        if self.first_error is not None and not self.is_answered:
            raise self.first_error
        for part, error in self._pending:
            told = UnresolvedRowError(
                "internal",
                f"{error} It fails by some of {part.stop - part.start} rows that were asked together, and "
                f"{MOST_EXTRA_CALLS} calls more did not tell which.",
            )
            self._outcomes.update(dict.fromkeys(range(part.start, part.stop), told))
        return [self._outcomes[row] for row in range(self.rows)]


def _bad(error: ModelClientError) -> RowError:
    """Rows beside it were answered, so this one is to blame: by the model's own word where it refuses it."""
    code = "invalid_request" if isinstance(error, BadRequestError) else "internal"
    return RowError(code, f"{error} Other rows were answered; this one fails also by itself.")
