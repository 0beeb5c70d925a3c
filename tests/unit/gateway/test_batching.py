"""How rows are grouped into bodies."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ekiben_contracts.models import Role
from ekiben_inference_gateway.batching import bodies
from ekiben_inference_gateway.routing import Choice, Endpoint


def choice(model, version):
    return Choice(Endpoint(model, version, f"http://{model}-{version}"), 10_000, Role.CHAMPION, (), None)


choices = st.builds(choice, st.sampled_from(["delay", "weather"]), st.sampled_from("123"))
drawings = st.lists(choices, max_size=60).map(lambda of: [(n, 0, one) for n, one in enumerate(of)])


@given(drawings, st.integers(1, 9))
def test_every_row_is_in_exactly_one_body_in_its_order(drawn, most):
    made = list(bodies(drawn, most))
    for endpoint in {one.endpoint for *_, one in drawn}:
        expected = [(request, member) for request, member, one in drawn if one.endpoint == endpoint]
        found = [place for body in made if body.choice.endpoint == endpoint for place in body.places]
        assert found == expected


@given(drawings, st.integers(1, 9))
def test_bodies_are_as_few_as_their_limit_allows(drawn, most):
    made = list(bodies(drawn, most))
    assert all(1 <= len(body.places) <= most for body in made)
    for endpoint in {one.endpoint for *_, one in drawn}:
        rows = sum(one.endpoint == endpoint for *_, one in drawn)
        assert sum(body.choice.endpoint == endpoint for body in made) == -(-rows // most)


def test_1025_rows_are_two_bodies():
    drawn = [(n, 0, choice("delay", "1")) for n in range(1025)]
    assert [len(body.places) for body in bodies(drawn, 1024)] == [1024, 1]
