"""`python -m ekiben_bus.brokers.embedded --port 9092 --data DIR`: a broker in the foreground.

Says one line on standard output once it answers. SIGTERM or Ctrl-C ends it, exit code 0; if Kafka
ends by itself or never answers, the exit code is 1 and standard error says why.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from ekiben_bus.brokers.diagnosis import advice, last_lines
from ekiben_bus.brokers.embedded import EmbeddedKafka
from ekiben_bus.brokers.errors import BrokerError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until told to stop; the exit code."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    kafka = EmbeddedKafka(
        options.data, port=options.port, log=options.log, heap_mb=options.heap_mb, progress=_say_aside
    )
    try:
        with kafka:
            sys.stdout.write(
                f"Apache Kafka {kafka.version} answers at {kafka.bootstrap_servers}, pid {kafka.pid}\n"
            )
            sys.stdout.flush()
            kafka.wait()
            lines = last_lines(kafka.log)
            _say_aside(f"Kafka ended by itself. Try: {advice(lines)}. The end of {kafka.log}:", *lines)
    except BrokerError as error:
        _say_aside(str(error))
    except KeyboardInterrupt:
        return 0
    return 1


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _say_aside(*lines: str) -> None:
    sys.stderr.write("".join(f"{line}\n" for line in lines))
    sys.stderr.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ekiben_bus.brokers.embedded", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="its folder; kept for the next start")
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0, the default, takes a free one")
    parser.add_argument(
        "--log", type=Path, help="what Kafka says; kafka.log in the folder of data by default"
    )
    parser.add_argument("--heap-mb", type=int, default=512, help="memory of the Java heap, 512 by default")
    return parser
