"""What is done to answers before botocore parses them."""

import json
from datetime import UTC, datetime

import pytest
from botocore.utils import parse_timestamp
from hypothesis import given
from hypothesis import strategies as st

from reconciler.aws.wire import fast_timestamp, without_events


@pytest.mark.parametrize(
    "text",
    [
        1700000000,
        1700000000.25,
        "2024-05-06T07:08:09Z",
        "2024-05-06T07:08:09.123Z",
        "2024-05-06T07:08:09+02:00",
        "Wed, 02 Oct 2002 13:00:00 GMT",
        "1700000000",
    ],
)
def test_timestamps_of_every_protocol_mean_what_botocore_says_and_are_utc(text):
    moment = fast_timestamp(text)
    assert moment == parse_timestamp(text)
    assert moment.tzinfo is UTC


def test_a_time_without_a_zone_is_utc():
    assert fast_timestamp("2024-05-06T07:08:09") == datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


TEXT = st.text(st.sampled_from('ab"\\[]{},:ü\n'), max_size=6)
VALUES = (
    st.none() | st.integers() | TEXT | st.lists(st.dictionaries(TEXT | st.just("events"), TEXT, max_size=2), max_size=2)
)


@given(st.lists(st.dictionaries(st.sampled_from(["events", "serviceName", "tags"]), VALUES), max_size=3))
def test_nothing_but_the_events_is_taken_from_services(services):
    answer = {"services": services, "failures": [{"events": "kept"}]}
    rest = json.loads(without_events(json.dumps(answer).encode()))
    lean = [{name: value for name, value in service.items() if name != "events"} for service in services]
    assert rest == {"services": lean, "failures": [{"events": "kept"}]}


def test_an_answer_without_services_is_left_as_it_is():
    assert without_events(b'{"failures": []}') == b'{"failures": []}'


def test_half_a_character_in_a_tag_does_not_spoil_the_answer():
    body = rb'{"services": [{"tags": [{"key": "k", "value": "\ud83d"}], "events": []}]}'
    assert json.loads(without_events(body)) == {"services": [{"tags": [{"key": "k", "value": "\ud83d"}]}]}
