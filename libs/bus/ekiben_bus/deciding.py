"""From records to verdicts: one for each record, whatever the handler does."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import replace

from ekiben_bus.lanes import attempt_of
from ekiben_bus.records import Received, Record
from ekiben_bus.verdicts import DeadLetter, Failure, Handler, OnFailure, Retry, Stage, Verdict
from ekiben_contracts.cloudevents import decode
from ekiben_contracts.errors import ContractError, NewerVersionError
from ekiben_contracts.identity import dead_letter_id
from ekiben_contracts.topics import Topic

BUG = "bug"


def dead_letter_alone(failure: Failure) -> DeadLetter:
    """What becomes of a failure where the service has nothing to answer: its dead letter, with the stack."""
    error = failure.error
    return DeadLetter(
        reason=error.reason if isinstance(error, ContractError) else BUG,
        error_class=type(error).__name__,
        message=str(error),
        stack="".join(traceback.format_exception(error)),
        stage=failure.stage,
    )


class Decider:
    """Reads records of one topic and asks a handler about them.

    A record that cannot be read, or that breaks the handler, costs nobody but itself: it is
    given to `on_failure`, and the rest of the batch goes on.

    Where it `can_retry`, a record of the next release is tried again later: while a service is upgraded,
    old and new members share its group, and one of the new may read it then.
    """

    def __init__(
        self, topic: Topic, group: str, handler: Handler, on_failure: OnFailure, *, can_retry: bool = False
    ) -> None:
        self._topic = topic
        self._group = group
        self._handler = handler
        self._on_failure = on_failure
        self._can_retry = can_retry

    async def decide(self, records: Sequence[Record]) -> Sequence[Verdict]:
        """One verdict for each record, in their order. Never raises but when cancelled."""
        readable: list[Received] = []
        refused: dict[int, Verdict] = {}
        for index, record in enumerate(records):
            try:
                readable.append(self._read(record))
            except ContractError as error:
                refused[index] = self._refuse(record, error)
        answers = await self._ask(readable)
        if not refused:
            return answers
        rest = iter(answers)
        return [refused[index] if index in refused else next(rest) for index in range(len(records))]

    def _refuse(self, record: Record, error: ContractError) -> Verdict:
        if self._can_retry and isinstance(error, NewerVersionError):
            failure = Failure(record, Stage.DECODE, error, self.identify(record), None, attempt_of(record))
            return Retry(error.reason, otherwise=dead_letter_alone(failure))
        return self.fail(record, Stage.DECODE, error)

    def fail(
        self, record: Record, stage: Stage, error: Exception, received: Received | None = None
    ) -> Verdict:
        """The service's verdict about a failure; a bug in that verdict is a dead letter too."""
        failure = Failure(record, stage, error, self.identify(record), received, attempt_of(record))
        try:
            return self._on_failure(failure)
        except Exception as bug:  # noqa: BLE001 - whatever it raises, the record must not be lost
            bug.__context__ = error
            return dead_letter_alone(replace(failure, stage=Stage.HANDLE, error=bug))

    def identify(self, record: Record) -> str:
        """The id that a dead letter of this record has."""
        return dead_letter_id(record.topic, self._group, record.partition, record.offset, attempt_of(record))

    def _read(self, record: Record) -> Received:
        event = decode(record.value, record.headers, self._topic, lean=True)
        return Received(event.data, record, self._group, event.id, event.traceparent, attempt_of(record))

    async def _ask(self, batch: Sequence[Received]) -> Sequence[Verdict]:
        if not batch:
            return []
        try:
            return _complete(await self._handler(batch), len(batch))
        except Exception as error:  # noqa: BLE001 - a bug in a handler: find the record, spare the others
            if len(batch) == 1:
                return [self.fail(batch[0].record, Stage.HANDLE, error, batch[0])]
        middle = len(batch) // 2
        return [*await self._ask(batch[:middle]), *await self._ask(batch[middle:])]


def _complete(verdicts: Sequence[Verdict], expected: int) -> Sequence[Verdict]:
    if len(verdicts) != expected:
        raise ValueError(f"expected one verdict for each of {expected} inputs, found {len(verdicts)}")
    return verdicts
