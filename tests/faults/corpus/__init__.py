"""Hostile records as data: what each is called, its bytes, and what has to become of it."""

from __future__ import annotations

from faults.corpus.broken_json import broken_json
from faults.corpus.envelopes import envelopes
from faults.corpus.fields import fields
from faults.corpus.hostile import Hostile

CORPUS: tuple[Hostile, ...] = (*broken_json(), *envelopes(), *fields())
