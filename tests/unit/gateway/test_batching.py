"""How rows are grouped, and bodies cut off a group."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ekiben_contracts.models import Role
from ekiben_inference_gateway.batching import groups
from ekiben_inference_gateway.routing import Choice, Endpoint


def choice(model, version):
    return Choice(Endpoint(model, version, f"http://{model}-{version}"), 10_000, Role.CHAMPION, (), None)


choices = st.builds(choice, st.sampled_from(["delay", "weather"]), st.sampled_from("123"))
drawings = st.lists(choices, max_size=60).map(lambda of: [(n, 0, one) for n, one in enumerate(of)])


@given(drawings, st.lists(st.integers(1, 9), min_size=60, max_size=60))
def test_every_row_is_taken_once_in_its_order_whatever_the_sizes_of_the_bodies(drawn, sizes):
    for group in groups(drawn):
        expected = [(r, m) for r, m, one in drawn if one.endpoint == group.choice.endpoint]
        assert len(group) == len(expected)
        taken = [list(group.take(size)) for size in sizes]
        assert [place for body in taken for place in body] == expected
        assert all(len(body) <= size for body, size in zip(taken, sizes, strict=True))
        assert len(group) == 0


@given(drawings)
def test_each_endpoint_has_one_group(drawn):
    endpoints = [group.choice.endpoint for group in groups(drawn)]
    assert sorted(endpoints) == sorted({one.endpoint for *_, one in drawn})
