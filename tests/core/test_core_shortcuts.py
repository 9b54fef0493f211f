"""The comparison leaves out what it need not look at; that never changes what it finds."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core import diff as subject
from reconciler.core.compare import Comparison
from reconciler.core.diff import Sides, diff
from reconciler.core.fields import Field, table
from reconciler.core.live import Live
from reconciler.core.normalise import flatten
from reconciler.core.resource import Desired, Environment, Resource
from reconciler.core.values import ABSENT, Json, Ref, ResourceId
from reconciler.kinds import KINDS

TABLE = table(
    (
        Field("count", default=1),
        Field("computed", computed=True),
        Field("names", unordered=True),
        Field("ports", key=("number",)),
        Field("ports[].protocol", default="tcp"),
        Field("tags", key=("key",), complete=False),
    )
)
SMALL = st.integers(0, 2)
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "count": SMALL,
        "computed": SMALL,
        "unknown": SMALL,
        "names": st.lists(st.sampled_from("abc"), max_size=3),
        "ports": st.lists(
            st.fixed_dictionaries({"number": SMALL}, optional={"protocol": st.sampled_from(["tcp", "udp"])}),
            max_size=2,
            unique_by=lambda port: port["number"],
        ),
        "tags": st.lists(st.fixed_dictionaries({"key": st.just("team"), "value": SMALL}), max_size=1),
    },
)


@given(DOCUMENTS, DOCUMENTS, st.none() | DOCUMENTS, st.none() | DOCUMENTS, st.sampled_from([(), (("ports",),)]))
def test_judging_only_suspects_finds_what_judging_every_field_finds(
    desired: Any, live: Any, base: Any, baseline: Any, whole: Any
) -> None:
    def flat(document: Any) -> Any:
        return None if document is None else flatten(document, TABLE)

    there = flat(live)
    sides = Sides(flat(desired), there, flat(base), baseline=there if baseline == live else flat(baseline), whole=whole)
    paths = dict.fromkeys(
        path for side in (sides.desired, sides.live, sides.base, sides.baseline) if side for path in side.leaves
    )
    every = (subject._judge(path, sides) for path in paths)
    assert tuple(difference for difference in every if difference) == diff(sides)


ENVIRONMENT = Environment("test", "shop", "123456789012", "eu-west-1", ("base",))
CONTENT = Resource(
    ResourceId("TaskDefinition", "web"),
    {"containerDefinitions": [{"name": "app", "image": "registry.example/web:1", "memory": 128}]},
)
SERVICE = Resource(
    ResourceId("Service", "web"),
    {"cluster": "shop", "taskDefinition": Ref(CONTENT.id, "arn")},
    embeds={str(CONTENT.id): CONTENT.digest},
)
DESIRED = Desired(ENVIRONMENT, "c0ffee", {CONTENT.id: CONTENT, SERVICE.id: SERVICE})
RUNNING, OTHER = (f"arn:aws:ecs:eu-west-1:123456789012:task-definition/web:{revision}" for revision in (7, 8))


def images_that_differ(found_equal: Json, image: str) -> list[tuple[Json, Json]]:
    """The differences of the service's image: git's and AWS's, when AWS's revision `found_equal` has git's content."""
    live = Live(
        "Service",
        "arn",
        "shop/web",
        {"cluster": "shop", "serviceName": "web", "taskDefinition": RUNNING},
        contents={
            "taskDefinition": {
                "family": "web",
                "containerDefinitions": [{"name": "app", "image": image, "memory": 128}],
            }
        },
    )
    comparison = Comparison(KINDS["Service"], KINDS, lambda ref: found_equal if ref.target == CONTENT.id else ABSENT)
    found = comparison.differences((SERVICE, DESIRED), live, (SERVICE, DESIRED))
    return [(difference.desired, difference.live) for difference in found]


def test_content_is_compared_where_another_revision_runs_than_the_one_that_was_found_equal() -> None:
    differs = [("registry.example/web:1", "registry.example/web:2")]
    assert images_that_differ(OTHER, "registry.example/web:2") == differs
    assert images_that_differ(ABSENT, "registry.example/web:2") == differs


def test_content_that_the_service_runs_and_that_was_found_equal_is_not_compared_again() -> None:
    assert images_that_differ(RUNNING, "read by nobody") == []
