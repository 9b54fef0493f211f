"""What the gate remembers between reads, over real HTTP."""

from datetime import UTC, datetime

import pytest

from reconciler.aws.cache import MemoryCache
from reconciler.aws.session import connect
from reconciler.core.call import Call
from reconciler.core.errors import NotFoundError
from tests.aws.conftest import answer, error

CLUSTERS = Call("ecs", "DescribeClusters", {"clusters": ["shop"]})


def test_what_is_cached_for_ever_is_read_once_and_keeps_its_times(aws, make_gate):
    aws.on("DescribeTaskDefinition", answer(taskDefinition={"registeredAt": 1700000000.5, "revision": 1}))
    cache = MemoryCache()
    call = Call("ecs", "DescribeTaskDefinition", {"taskDefinition": "web:1"})
    first = make_gate(cache=cache).cached(call, key="web:1", max_age_seconds=None)
    second = make_gate(cache=cache).cached(call, key="web:1", max_age_seconds=None)
    assert first == second
    assert second["taskDefinition"]["registeredAt"] == datetime(2023, 11, 14, 22, 13, 20, 500000, tzinfo=UTC)
    assert aws.operations() == ["DescribeTaskDefinition"]


def test_what_is_too_old_is_read_again(aws, gate, virtual):
    aws.on("DescribeClusters", answer(clusters=[]))
    gate.cached(CLUSTERS, key="c", max_age_seconds=60)
    virtual.sleep(60)
    gate.cached(CLUSTERS, key="c", max_age_seconds=60)
    assert len(aws.operations()) == 1
    virtual.sleep(1)
    gate.cached(CLUSTERS, key="c", max_age_seconds=60)
    assert len(aws.operations()) == 2


def test_of_many_only_the_missing_are_read_and_the_order_stays(aws, gate):
    aws.on(
        "DescribeTaskDefinition", by=lambda request: answer(taskDefinition={"family": request.params["taskDefinition"]})
    )
    calls = {name: Call("ecs", "DescribeTaskDefinition", {"taskDefinition": name}) for name in "abcd"}
    gate.cached(calls["b"], key="b", max_age_seconds=None)
    found = gate.cached_many(calls, max_age_seconds=None)
    assert list(found) == ["a", "b", "c", "d"]
    assert [answer["taskDefinition"]["family"] for answer in found.values()] == ["a", "b", "c", "d"]
    assert len(aws.operations()) == 4


def test_what_one_region_remembers_another_does_not_see(aws, make_gate):
    aws.on("DescribeClusters", answer(clusters=[]))
    cache = MemoryCache()
    make_gate(cache=cache).cached(CLUSTERS, key="c", max_age_seconds=None)
    elsewhere = connect("us-east-1", endpoint_url=aws.url)
    make_gate(cache=cache, session=elsewhere).cached(CLUSTERS, key="c", max_age_seconds=None)
    elsewhere.close()
    assert len(aws.operations()) == 2


def test_what_an_emulator_said_is_not_taken_for_an_answer_of_another_endpoint(aws, make_gate):
    aws.on("DescribeClusters", answer(clusters=[]))
    cache = MemoryCache()
    make_gate(cache=cache).cached(CLUSTERS, key="c", max_age_seconds=None)
    elsewhere = connect("eu-west-1", endpoint_url=aws.url.replace("127.0.0.1", "localhost"))
    make_gate(cache=cache, session=elsewhere).cached(CLUSTERS, key="c", max_age_seconds=None)
    elsewhere.close()
    assert len(aws.operations()) == 2


def test_nothing_to_read_is_no_call(aws, gate):
    assert gate.read_many([]) == []
    assert gate.cached_many({}, max_age_seconds=None) == {}
    assert aws.requests == []


def test_what_was_read_stays_remembered_when_another_read_fails(aws, gate):
    refused = error("ClientException", "Unable to describe task definition.")
    aws.on(
        "DescribeTaskDefinition",
        by=lambda request: refused if request.params["taskDefinition"] == "b" else answer(taskDefinition={}),
    )
    calls = {name: Call("ecs", "DescribeTaskDefinition", {"taskDefinition": name}) for name in "abc"}
    with pytest.raises(NotFoundError):
        gate.cached_many(calls, max_age_seconds=None)
    gate.cached_many({name: calls[name] for name in "ac"}, max_age_seconds=None)
    assert gate.counts["ecs:DescribeTaskDefinition"] == 3


def test_a_fresh_gate_uses_nothing_that_may_have_changed_before_it_was_made(aws, make_gate, virtual):
    aws.on("DescribeClusters", answer(clusters=[]))
    cache = MemoryCache()
    make_gate(cache=cache).cached(CLUSTERS, key="changes", max_age_seconds=3600)
    make_gate(cache=cache).cached(CLUSTERS, key="never", max_age_seconds=None)
    assert len(aws.operations()) == 2
    virtual.sleep(1)
    fresh = make_gate(cache=cache, fresh=True)
    fresh.cached(CLUSTERS, key="never", max_age_seconds=None)
    assert len(aws.operations()) == 2
    fresh.cached(CLUSTERS, key="changes", max_age_seconds=3600)
    assert len(aws.operations()) == 3
    fresh.cached(CLUSTERS, key="changes", max_age_seconds=3600)
    assert len(aws.operations()) == 3
