from prometheus_client import CollectorRegistry

from ekiben_bus.metrics import BusMetrics, OldestUnanswered


def gauge(now_s: float) -> tuple[OldestUnanswered, CollectorRegistry]:
    registry = CollectorRegistry()
    return OldestUnanswered(BusMetrics(registry), "t", clock=lambda: now_s), registry


def test_it_is_zero_when_all_that_was_read_is_answered():
    oldest, registry = gauge(100)
    oldest.answered(oldest.reading(40_000), None)
    assert registry.get_sample_value("ekiben_oldest_unanswered_seconds", {"topic": "t"}) == 0


def test_it_is_the_age_of_the_oldest_record_in_flight():
    oldest, registry = gauge(100)
    oldest.reading(40_000)
    assert registry.get_sample_value("ekiben_oldest_unanswered_seconds", {"topic": "t"}) == 60


def test_what_a_failed_batch_read_stays_unanswered_until_it_is_read_again():
    oldest, _ = gauge(100)
    oldest.failed(oldest.reading(40_000))
    again = oldest.reading(70_000)
    assert oldest.age_s() == 60
    oldest.answered(again, None)
    assert oldest.age_s() == 0


def test_of_several_batches_in_flight_the_oldest_record_counts_whichever_ends_first():
    oldest, _ = gauge(100)
    first, second = oldest.reading(40_000), oldest.reading(70_000)
    assert oldest.age_s() == 60
    oldest.answered(first, None)
    assert oldest.age_s() == 30
    oldest.failed(second)
    assert oldest.age_s() == 30


def test_what_was_released_is_somebody_elses():
    oldest, _ = gauge(100)
    oldest.failed(oldest.reading(40_000))
    oldest.released()
    assert oldest.age_s() == 0


def test_what_is_held_goes_on_growing_old():
    oldest, _ = gauge(100)
    oldest.answered(oldest.reading(40_000), 90_000)
    assert oldest.age_s() == 10


def test_a_clock_that_is_behind_the_producers_makes_nobody_younger_than_zero():
    oldest, _ = gauge(100)
    oldest.reading(200_000)
    assert oldest.age_s() == 0
