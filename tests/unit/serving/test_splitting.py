"""Which rows of a body are to blame, found within bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekiben_serving.errors import BadRequestError, ModelTransientError, ModelUnavailableError
from ekiben_serving.model_client import ModelOutput
from ekiben_serving.splitting import MOST_EXTRA_CALLS, Splitting, UnresolvedRowError
from ekiben_serving.validation import RowError

BROKE = ModelTransientError("delay", "http://delay", "found 500.")
REFUSED = BadRequestError("delay", "http://delay", "found 400.")
AWAY = ModelUnavailableError("delay", "http://delay", "connection refused.")


def answers_of(part: slice) -> list[ModelOutput]:
    return [ModelOutput("delay", "1", float(row)) for row in range(part.start, part.stop)]


def split(rows: int, bad: set[int], error=BROKE) -> Splitting:
    """A model that fails every body with a bad row in it, asked to the end."""
    splitting = Splitting(rows)
    while (part := splitting.next_part()) is not None:
        if bad & set(range(part.start, part.stop)):
            splitting.failed(part, error)
        else:
            splitting.answered(part, answers_of(part))
    return splitting


bodies = st.integers(1, 1024).flatmap(
    lambda rows: st.tuples(st.just(rows), st.sets(st.integers(0, rows - 1), max_size=40))
)


@given(bodies)
def test_every_row_has_one_outcome_and_calls_are_bounded(body):
    rows, bad = body
    splitting = split(rows, bad)
    assert 1 <= splitting.calls <= 1 + MOST_EXTRA_CALLS
    if not splitting.is_answered:
        with pytest.raises(ModelTransientError):
            splitting.outcomes()
        return
    outcomes = splitting.outcomes()
    assert len(outcomes) == rows
    for row, outcome in enumerate(outcomes):
        if isinstance(outcome, ModelOutput):
            assert outcome.value == row
            assert row not in bad
        elif not isinstance(outcome, UnresolvedRowError):
            assert row in bad


@given(st.integers(2, 1024).flatmap(lambda rows: st.tuples(st.just(rows), st.integers(0, rows - 1))))
def test_one_bad_row_is_found_and_every_other_answered(body):
    rows, bad = body
    outcomes = split(rows, {bad}).outcomes()
    assert [row for row, outcome in enumerate(outcomes) if not isinstance(outcome, ModelOutput)] == [bad]
    assert type(outcomes[bad]) is RowError


def test_a_body_without_bad_rows_is_one_call():
    assert split(1024, set()).calls == 1


def test_no_rows_are_no_call():
    splitting = Splitting(0)
    assert splitting.next_part() is None
    assert splitting.outcomes() == []


@pytest.mark.parametrize(("error", "code"), [(BROKE, "internal"), (REFUSED, "invalid_request")])
def test_a_row_that_is_refused_is_the_senders_and_one_that_breaks_the_model_is_not(error, code):
    outcome = split(4, {2}, error).outcomes()[2]
    assert isinstance(outcome, RowError)
    assert outcome.code == code
    assert str(error) in outcome.message
    assert "also by itself" in outcome.message


def test_where_no_part_is_answered_it_is_not_the_rows_that_are_to_blame():
    splitting = split(8, set(range(8)), REFUSED)
    with pytest.raises(BadRequestError):
        splitting.outcomes()


def test_rows_that_no_call_is_left_for_say_so_and_may_do_better_in_another_body():
    outcomes = split(1024, set(range(0, 1024, 200))).outcomes()
    unresolved = [outcome for outcome in outcomes if isinstance(outcome, UnresolvedRowError)]
    assert 0 < len(unresolved) < 512
    assert f"{MOST_EXTRA_CALLS} calls more" in unresolved[0].message


def test_an_endpoint_that_goes_away_meanwhile_keeps_what_it_answered():
    splitting = Splitting(4)
    assert splitting.next_part() == slice(0, 4)
    splitting.failed(slice(0, 4), BROKE)
    assert splitting.next_part() == slice(0, 2)
    splitting.answered(slice(0, 2), answers_of(slice(0, 2)))
    assert splitting.next_part() == slice(2, 4)
    splitting.away(slice(2, 4), AWAY)
    assert splitting.next_part() is None
    kinds = [type(outcome) for outcome in splitting.outcomes()]
    assert kinds == [ModelOutput, ModelOutput, UnresolvedRowError, UnresolvedRowError]


def test_an_endpoint_that_is_away_from_the_start_is_unavailable():
    splitting = Splitting(4)
    part = splitting.next_part()
    assert part is not None
    splitting.away(part, AWAY)
    with pytest.raises(ModelUnavailableError):
        splitting.outcomes()
