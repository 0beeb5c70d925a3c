"""Asking a person at the terminal."""

from __future__ import annotations

import signal
import sys

import typer


def confirmed(question: str) -> bool:
    """Whether a person at the terminal says yes. Where none is, nobody does."""
    if not sys.stdin.isatty():
        return False
    # the event loop would keep Ctrl-C to itself while nobody answers
    kept = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:
        return False
    finally:
        signal.signal(signal.SIGINT, kept)
