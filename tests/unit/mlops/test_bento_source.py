"""The name of a Bento says what is in it."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from ekiben_mlops.bento_source import bento_tag

BENTOML_TAKES = re.compile(r"[a-z0-9]([-._a-z0-9]*[a-z0-9])?")


def test_it_is_model_version_and_the_start_of_the_digest() -> None:
    assert bento_tag("flight_delay", "3", "5f0c2b7d9a1e77") == "flight_delay:3-5f0c2b7d9a1e"


@given(st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z"), st.text(), st.from_regex(r"\A[0-9a-f]{64}\Z"))
def test_bentoml_takes_it_whatever_the_model_is_called(model: str, version: str, digest: str) -> None:
    for part in bento_tag(model, version, digest).split(":"):
        assert BENTOML_TAKES.fullmatch(part)
        assert len(part) <= 63
