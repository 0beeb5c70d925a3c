"""Side (a), the bare skeleton; (f), the same with the model in its own process; and it with a second hop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from confluent_kafka import Message
from pydantic import BaseModel

from benchmarks.asking import Ask
from benchmarks.ground import Ground
from benchmarks.kafka import Topics
from benchmarks.processes import Process, python, running
from benchmarks.sides.side import Answer, Names
from ekiben_mlops.serve import ONE_THREAD

_CONSUMER = "benchmarks.sides.bare_consumer"
_RELAY = "benchmarks.sides.bare_relay"
_COMMIT_MS = ("--commit-ms", "250")


class _Output(BaseModel):
    value: float


class _Result(BaseModel):
    request_id: str
    prediction: float | None = None
    outputs: list[_Output] = []


@dataclass(frozen=True, slots=True)
class Bare:
    """The skeleton in a process of its own. `asks` is how it reaches the model.

    With `contracts` it reads and writes Ekiben's own events. With two hops a second process relays what
    the first has answered. `patient` tunes it for a low rate: small polls wait a little for more, and
    commits come by four a second.
    """

    name: str
    asks: tuple[str, ...]
    rows: int
    poll: int
    polls_in_flight: int
    contracts: bool = False
    two_hops: bool = False
    patient: bool = False
    up_first: bool = False

    def create(self, ground: Ground, prefix: str) -> Names:
        """A topic for each end of a hop."""
        requests, relayed, answers = f"{prefix}requests", f"{prefix}relayed", f"{prefix}answers"
        first = relayed if self.two_hops else answers
        Topics(ground.kafka).create(list({requests, first, answers}), ground.partitions)
        return Names(requests, first, answers)

    def requests(self, ground: Ground, start: int, end: int) -> Iterator[Ask]:
        """As Ekiben's."""
        return ground.asking.asks(start, end)

    @contextmanager
    def running(self, ground: Ground, prefix: str) -> Iterator[Sequence[Process]]:
        """A process for each hop."""
        first = "relayed" if self.two_hops else "answers"
        consumer = [
            *("--requests", f"{prefix}requests", "--answers", f"{prefix}{first}"),
            *("--names", ",".join(ground.asking.names), *self.asks),
            *("--rows", str(self.rows), "--poll", str(self.poll)),
            *("--polls-in-flight", str(self.polls_in_flight)),
            *(("--contracts",) if self.contracts else ()),
            *(("--gather-ms", "5", *_COMMIT_MS) if self.patient else ()),
        ]
        relay = ["--requests", f"{prefix}relayed", "--answers", f"{prefix}answers", *_COMMIT_MS]
        hops = [(_RELAY, relay), (_CONSUMER, consumer)] if self.two_hops else [(_CONSUMER, consumer)]
        with ExitStack() as stack:
            yield [
                stack.enter_context(
                    running(
                        python(module, *arguments, samples=ground.samples_of(module)),
                        ground.log_of(module),
                        {**ground.environment, **ONE_THREAD},
                    )
                )
                for module, arguments in hops
            ]

    def read(self, message: Message) -> Answer | None:
        """Its result."""
        result = _Result.model_validate_json(message.value() or b"")
        prediction = result.outputs[0].value if self.contracts else result.prediction
        return None if prediction is None else Answer(result.request_id, prediction)
