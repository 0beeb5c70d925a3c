from hypothesis import given
from hypothesis import strategies as st

from ekiben_bus.naming import Naming
from ekiben_bus.topic_plan import FoundTopic, plan, wanted_topics
from ekiben_contracts.topics import (
    HEADROOM,
    MODEL_OUTPUTS,
    PEOPLE,
    PREDICTION_REQUESTS,
    PREDICTION_RESULTS,
    ROUTES,
    TOPICS,
)

REQUESTS, OUTPUTS, RESULTS = PREDICTION_REQUESTS.name, MODEL_OUTPUTS.name, PREDICTION_RESULTS.name
REQUESTS_DLQ = f"{REQUESTS}.inference-gateway.dlq"


def wanted(**options):
    return {topic.name: topic for topic in wanted_topics(TOPICS, Naming(), **{"brokers": 1, **options})}


def as_found(topics, **changes):
    """A cluster that has exactly these topics."""
    return {name: FoundTopic(topic.partitions, topic.configs) for name, topic in topics.items()} | changes


def test_every_topic_of_the_contracts_is_wanted():
    assert {topic.name for topic in TOPICS} <= set(wanted())


def test_each_service_that_reads_a_stream_has_a_dead_letter_topic_for_it():
    dlqs = {name for name in wanted() if name.endswith(".dlq")}
    assert dlqs == {
        f"{topic.name}.{reader}.dlq"
        for topic in TOPICS
        for reader in topic.readers
        if reader not in PEOPLE and topic is not ROUTES
    }
    assert REQUESTS_DLQ in dlqs


def test_users_and_tables_have_no_dead_letters():
    assert not [
        name for name in wanted() if name.endswith(".users.dlq") or name.startswith(f"{ROUTES.name}.")
    ]


def test_a_prefix_stands_before_every_name():
    topics = wanted_topics(TOPICS, Naming("staging."), brokers=1)
    assert all(topic.name.startswith("staging.ekiben.") for topic in topics)
    assert all(source.startswith("staging.") for topic in topics for source in topic.fed_by)


def test_a_dead_letter_always_fits_and_is_kept_for_ever():
    topics = wanted()
    limit = int(topics[REQUESTS].configs["max.message.bytes"])
    dlq = topics[REQUESTS_DLQ].configs
    assert int(dlq["max.message.bytes"]) == limit + HEADROOM
    assert (dlq["retention.ms"], dlq["retention.bytes"]) == ("-1", "-1")


def test_what_waits_is_kept_for_ever_and_a_retry_has_its_time():
    topics, own = wanted(), f"{REQUESTS}.inference-gateway"
    retention = {
        name.removeprefix(f"{own}."): topic.configs["retention.ms"]
        for name, topic in topics.items()
        if name.startswith(own)
    }
    its_time = str(PREDICTION_REQUESTS.retention_ms)
    for_ever = dict.fromkeys(("dlq", "replay", "parked"), "-1")
    assert retention == for_ever | dict.fromkeys(("retry-5s", "retry-1m", "retry-10m"), its_time)


def test_the_buss_own_topics_are_as_wide_and_as_tall_as_the_topic_they_serve():
    topics = wanted(partitions={REQUESTS: 7})
    own = [topic for name, topic in topics.items() if name.startswith(f"{REQUESTS}.")]
    assert {topic.partitions for topic in own} == {7}
    assert {topic.configs["max.message.bytes"] for topic in own} == {
        str(PREDICTION_REQUESTS.max_message_bytes + HEADROOM)
    }


def test_routes_are_compacted_and_other_topics_are_not():
    policies = {name: topic.configs["cleanup.policy"] for name, topic in wanted().items()}
    assert policies.pop(ROUTES.name) == "compact"
    assert set(policies.values()) == {"delete"}


def test_replication_is_three_where_there_are_three_brokers_and_survives_one_of_them():
    three = wanted(brokers=5)[REQUESTS]
    assert (three.replicas, three.configs["min.insync.replicas"]) == (3, "2")
    one = wanted(brokers=1)[REQUESTS]
    assert (one.replicas, one.configs["min.insync.replicas"]) == (1, "1")


def test_an_empty_cluster_lacks_everything():
    topics = wanted()
    planned = plan(tuple(topics.values()), {})
    assert {topic.name for topic in planned.missing} == set(topics)
    assert (planned.existing, planned.shortfalls, planned.drifts) == ((), (), ())


def test_a_cluster_as_wanted_lacks_nothing():
    topics = wanted()
    planned = plan(tuple(topics.values()), as_found(topics))
    assert set(planned.existing) == set(topics)
    assert (planned.missing, planned.shortfalls, planned.drifts) == ((), (), ())


def test_more_partitions_of_the_requests_widen_all_that_they_flow_into():
    topics = wanted(partitions={REQUESTS: 12})
    created = {topic.name: topic.partitions for topic in plan(tuple(topics.values()), {}).missing}
    assert [created[name] for name in (REQUESTS, REQUESTS_DLQ, OUTPUTS, RESULTS)] == [12, 12, 12, 12]
    assert created[ROUTES.name] == 1


def test_what_is_missing_is_made_as_wide_as_the_topics_that_are_there():
    topics = wanted()
    found = {REQUESTS: FoundTopic(9, topics[REQUESTS].configs)}
    planned = plan(tuple(topics.values()), found)
    created = {topic.name: topic.partitions for topic in planned.missing}
    assert (created[REQUESTS_DLQ], created[OUTPUTS], created[RESULTS]) == (9, 9, 9)
    assert planned.shortfalls == ()


def test_a_topic_narrower_than_its_source_is_named_with_both_counts():
    topics = wanted()
    found = as_found(topics, **{REQUESTS: FoundTopic(8, topics[REQUESTS].configs)})
    shortfalls = {shortfall.topic: shortfall for shortfall in plan(tuple(topics.values()), found).shortfalls}
    assert (shortfalls[REQUESTS_DLQ].expected, shortfalls[REQUESTS_DLQ].found) == (8, 4)
    assert f"{OUTPUTS}: expected at least 8 partitions (as many as {REQUESTS}), found 4" in map(
        str, shortfalls.values()
    )


def test_a_topic_narrower_than_the_contracts_is_named_with_both_counts():
    topics = wanted()
    found = as_found(topics, **{RESULTS: FoundTopic(1, topics[RESULTS].configs)})
    (shortfall,) = plan(tuple(topics.values()), found).shortfalls
    assert (shortfall.topic, shortfall.expected, shortfall.found) == (RESULTS, 4, 1)


def test_a_setting_that_differs_is_reported_with_both_values_and_is_no_shortfall():
    topics = wanted()
    drifted = {**topics[REQUESTS].configs, "retention.ms": "1000"}
    planned = plan(tuple(topics.values()), as_found(topics, **{REQUESTS: FoundTopic(4, drifted)}))
    (drift,) = planned.drifts
    assert (drift.topic, drift.setting, drift.expected, drift.found) == (
        REQUESTS,
        "retention.ms",
        str(PREDICTION_REQUESTS.retention_ms),
        "1000",
    )
    assert planned.shortfalls == ()


def test_settings_that_the_contracts_do_not_name_are_nobodys_business():
    topics = wanted()
    more = {**topics[REQUESTS].configs, "segment.ms": "60000"}
    planned = plan(tuple(topics.values()), as_found(topics, **{REQUESTS: FoundTopic(4, more)}))
    assert planned.drifts == ()


@given(st.dictionaries(st.sampled_from(sorted(wanted())), st.integers(1, 20)))
def test_after_creating_what_is_missing_a_second_look_finds_the_same_shortfalls_and_no_more(counts):
    topics = tuple(wanted().values())
    found = {
        topic.name: FoundTopic(counts[topic.name], topic.configs) for topic in topics if topic.name in counts
    }
    first = plan(topics, found)
    made = {topic.name: FoundTopic(topic.partitions, topic.configs) for topic in first.missing}
    second = plan(topics, found | made)
    assert second.missing == ()
    assert second.shortfalls == first.shortfalls
    assert len(first.missing) + len(first.existing) == len(topics)


@given(st.integers(1, 20), st.integers(1, 20))
def test_a_record_keeps_its_partition_number_all_the_way(requests, results):
    overrides = {REQUESTS: requests, RESULTS: results}
    topics = wanted_topics(TOPICS, Naming(), brokers=1, partitions=overrides)
    made = {topic.name: topic for topic in plan(topics, {}).missing}
    for topic in made.values():
        assert all(made[source].partitions <= topic.partitions for source in topic.fed_by)
    assert made[REQUESTS].partitions == requests
