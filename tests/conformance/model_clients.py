"""What every ModelClient promises: one suite, run on toys here and on real models in tests/integration."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from ekiben_serving.errors import BadRequestError, ModelClientError, ModelTimeoutError, NoExplainerError
from ekiben_serving.model_client import Explanation, Features, ModelClient, ModelOutput
from ekiben_serving.validation import RowError

BUDGET_S = 30.0


@dataclass(frozen=True)
class Subject:
    """The model behind a client. `number` is a required column, of doubles, that moves the answer."""

    model: str
    version: str
    row: Features
    number: str

    def rows(self, *numbers: float) -> list[Features]:
        return [{**self.row, self.number: number} for number in numbers]


async def explanations(client: ModelClient, rows: list[Features]) -> list[Explanation]:
    """What moved the answers, none of which may be an error."""
    answers = await client.explain_batch(rows, budget_s=BUDGET_S)
    found = [answer for answer in answers if isinstance(answer, Explanation)]
    assert len(found) == len(rows), answers
    return found


async def values(client: ModelClient, rows: list[Features]) -> list[float]:
    """The answers, none of which may be an error."""
    answers = await client.predict_batch(rows, budget_s=BUDGET_S)
    outputs = [answer for answer in answers if isinstance(answer, ModelOutput)]
    assert len(outputs) == len(rows), answers
    return [output.value for output in outputs]


class ModelClientPromises:
    """A module that subclasses it has the fixtures `subject`, `client`, and `misled`.

    `misled` is a client that expects another version than the one that answers.
    """

    async def test_one_answer_a_row_in_the_order_of_the_rows(self, client: ModelClient, subject: Subject):
        answers = await client.predict_batch(subject.rows(100.0, 2900.0, 100.0))

        first, second, third = answers
        assert isinstance(first, ModelOutput)
        assert isinstance(second, ModelOutput)
        assert isinstance(third, ModelOutput)
        assert {(each.model, each.version) for each in (first, second, third)} == {
            (subject.model, subject.version)
        }
        assert first.value == third.value != second.value

    async def test_no_rows_have_no_answers(self, client: ModelClient):
        assert list(await client.predict_batch([])) == []

    async def test_more_rows_than_one_body_takes_are_answered_in_their_order(
        self, client: ModelClient, subject: Subject
    ):
        few = await values(client, subject.rows(100.0, 2900.0))
        assert await values(client, subject.rows(*[100.0, 2900.0] * 1300)) == few * 1300

    @pytest.mark.parametrize(
        ("value", "code"), [(None, "missing_features"), ("7", "invalid_request"), (True, "invalid_request")]
    )
    async def test_a_row_that_breaks_the_signature_has_an_error_in_its_place(
        self, client: ModelClient, subject: Subject, value: float | str | None, code: str
    ):
        row = subject.row
        first, second, third = await client.predict_batch(
            [row, {**row, subject.number: value}, row], budget_s=BUDGET_S
        )

        assert isinstance(first, ModelOutput)
        assert isinstance(second, RowError)
        assert isinstance(third, ModelOutput)
        assert second.code == code
        assert subject.number in second.message

    async def test_rows_that_all_break_the_signature_are_no_failure_of_the_call(
        self, client: ModelClient, subject: Subject
    ):
        answers = await client.predict_batch([{**subject.row, subject.number: None}] * 3)
        assert [getattr(answer, "code", None) for answer in answers] == ["missing_features"] * 3

    async def test_names_that_the_signature_does_not_have_are_ignored(
        self, client: ModelClient, subject: Subject
    ):
        (alone,) = await values(client, [subject.row])
        assert await values(client, [{**subject.row, "another-models": "text"}]) == [alone]

    async def test_one_row_is_answered_as_it_is_in_a_batch(self, client: ModelClient, subject: Subject):
        (batched,) = await client.predict_batch([subject.row])
        single = await client.predict("UA1", subject.row, "short_term")

        assert isinstance(batched, ModelOutput)
        assert replace(single, latency_ms=0) == replace(batched, latency_ms=0)

    async def test_one_row_that_breaks_the_signature_is_a_bad_request(
        self, client: ModelClient, subject: Subject
    ):
        with pytest.raises(BadRequestError, match=subject.number):
            await client.predict("UA1", {**subject.row, subject.number: None})

    async def test_callers_at_the_same_time_have_each_their_own_answers(
        self, client: ModelClient, subject: Subject
    ):
        numbers = [100.0 if n % 3 else 2900.0 for n in range(30)]
        alone = dict(zip((100.0, 2900.0), await values(client, subject.rows(100.0, 2900.0)), strict=True))

        found = await asyncio.gather(*(values(client, subject.rows(number)) for number in numbers))

        assert found == [[alone[number]] for number in numbers]

    async def test_a_budget_that_is_used_up_is_a_timeout_and_costs_later_calls_nothing(
        self, client: ModelClient, subject: Subject
    ):
        for _ in range(10):
            with pytest.raises(ModelTimeoutError):
                await client.predict_batch([subject.row], budget_s=0.0)
        assert await values(client, [subject.row])
        assert (await client.health()).breaker == "closed"

    async def test_a_call_that_is_given_up_costs_later_calls_nothing(
        self, client: ModelClient, subject: Subject
    ):
        for _ in range(20):
            given_up = asyncio.create_task(client.predict_batch([subject.row]))
            await asyncio.sleep(0)  # it begins
            given_up.cancel()
            assert isinstance(
                (await asyncio.gather(given_up, return_exceptions=True))[0], asyncio.CancelledError | list
            )
        assert await values(client, [subject.row])
        assert (await client.health()).breaker == "closed"

    async def test_a_call_may_be_part_of_a_trace(self, client: ModelClient, subject: Subject):
        trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        (answer,) = await client.predict_batch([subject.row], traceparent=trace)
        assert isinstance(answer, ModelOutput)

    async def test_it_says_that_it_is_ready(self, client: ModelClient):
        health = await client.health()
        assert (health.ready, health.breaker) == (True, "closed")

    async def test_the_answers_of_another_version_are_refused(self, misled: ModelClient, subject: Subject):
        found = rf"expected {subject.model} 99, found {subject.model} {subject.version}"
        with pytest.raises(ModelClientError, match=found):
            await misled.predict_batch([subject.row], budget_s=BUDGET_S)
        with pytest.raises(ModelClientError, match=found):
            await misled.predict("UA1", subject.row)


class ExplanationPromises:
    """A module that subclasses it has the fixtures `subject`, `misled`, `explaining` and `unexplaining`.

    The model behind `explaining` explains itself, the one behind `unexplaining` only predicts.
    """

    async def test_the_attributions_of_each_column_and_what_is_expected_add_up_to_the_prediction(
        self, explaining: ModelClient, subject: Subject
    ):
        rows = subject.rows(100.0, 2900.0, 100.0)
        found, predicted = await explanations(explaining, rows), await values(explaining, rows)

        assert [each.value for each in found] == pytest.approx(predicted, rel=1e-9)
        assert [each.expected + sum(each.attributions.values()) for each in found] == pytest.approx(
            predicted, rel=1e-9
        )
        assert {(each.model, each.version) for each in found} == {(subject.model, subject.version)}
        assert set(found[0].attributions) == set(subject.row)
        assert found[0].attributions == found[2].attributions
        assert found[0].attributions[subject.number] != found[1].attributions[subject.number]

    async def test_more_rows_than_one_call_explains_are_explained_in_their_order(
        self, explaining: ModelClient, subject: Subject
    ):
        few = [each.attributions for each in await explanations(explaining, subject.rows(100.0, 2900.0))]
        many = await explanations(explaining, subject.rows(*[100.0, 2900.0] * 40))
        assert [each.attributions for each in many] == few * 40

    async def test_a_row_that_cannot_be_explained_has_an_error_in_its_place(
        self, explaining: ModelClient, subject: Subject
    ):
        row = subject.row
        first, second, third = await explaining.explain_batch(
            [row, {**row, subject.number: None}, row], budget_s=BUDGET_S
        )

        assert isinstance(first, Explanation)
        assert isinstance(second, RowError)
        assert isinstance(third, Explanation)
        assert (second.code, subject.number in second.message) == ("missing_features", True)

    async def test_an_explanation_without_time_is_a_timeout_and_costs_later_calls_nothing(
        self, explaining: ModelClient, subject: Subject
    ):
        for _ in range(10):
            with pytest.raises(ModelTimeoutError):
                await explaining.explain_batch([subject.row], budget_s=0.0)
        assert await values(explaining, [subject.row])
        assert (await explaining.health()).breaker == "closed"

    async def test_a_model_without_an_explainer_says_so_and_goes_on_predicting(
        self, unexplaining: ModelClient, subject: Subject
    ):
        for _ in range(10):
            with pytest.raises(NoExplainerError, match="expected"):
                await unexplaining.explain_batch([subject.row], budget_s=BUDGET_S)
        assert await values(unexplaining, [subject.row])
        assert (await unexplaining.health()).breaker == "closed"

    async def test_the_explanations_of_another_version_are_refused(
        self, misled: ModelClient, subject: Subject
    ):
        found = rf"expected {subject.model} 99, found {subject.model} {subject.version}"
        with pytest.raises(ModelClientError, match=found):
            await misled.explain_batch([subject.row], budget_s=BUDGET_S)
