"""The values that every stage shares: references, digests, live objects, tags, errors."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime

import pytest

from reconciler.core.call import Call, batches
from reconciler.core.commit import Commit
from reconciler.core.difference import Cause, Difference
from reconciler.core.errors import InvalidManifestsError, InvalidReferenceError, Problem, Retry, UnknownOutcomeError
from reconciler.core.fields import Effect, Field
from reconciler.core.kind import Change, Creation, Kind, Permissions
from reconciler.core.live import Health, HealthState, Live, Lives, RolloutState
from reconciler.core.resource import Desired, Environment, Origin, Resource, Settings
from reconciler.core.tags import TAGS_FIELD, own_tags, tag_call, tag_changes, tags_by_key, untag_call, with_tags
from reconciler.core.values import (
    ABSENT,
    Json,
    Ref,
    ResourceId,
    Template,
    canonical,
    digest_of,
    plain,
    references,
    resolve,
)

WEB = ResourceId("Service", "web")
JOBS = Ref(ResourceId("Queue", "jobs"), "url")
ELSEWHERE = Ref(ResourceId("Queue", "jobs"), "arn", "shared")
ADDRESS = Template(("http://", Ref(ResourceId("LoadBalancer", "shop"), "dnsName"), "/"))


# -------------------------------------------------------------------------------------------------------------- values


def test_absent_is_one_object_also_after_a_copy_and_a_pickle():
    assert copy.deepcopy(ABSENT) is ABSENT
    assert pickle.loads(pickle.dumps(ABSENT)) is ABSENT  # noqa: S301  (our own bytes)
    assert (bool(ABSENT), repr(ABSENT)) == (False, "ABSENT")


def test_a_resource_is_written_and_read_as_kind_and_name():
    assert ResourceId.parse("Service/web") == WEB
    assert str(WEB) == "Service/web"


@pytest.mark.parametrize("text", ["web", "Service/", "/web", ""])
def test_what_is_no_kind_and_name_is_refused(text):
    with pytest.raises(InvalidReferenceError, match="Kind/name"):
        ResourceId.parse(text)


def test_references_are_written_the_way_a_manifest_writes_them():
    assert plain({"a": [JOBS, ELSEWHERE, ADDRESS], "b": (1, ABSENT)}) == {
        "a": [
            {"ref": "Queue/jobs", "attribute": "url"},
            {"ref": "Queue/jobs", "attribute": "arn", "environment": "shared"},
            "http://${ref:LoadBalancer/shop.dnsName}/",
        ],
        "b": [1, None],
    }


def test_references_are_found_in_the_order_of_their_members():
    assert list(references({"a": ADDRESS, "b": [JOBS, "text"], "c": (ELSEWHERE,)})) == [
        ADDRESS.parts[1],
        JOBS,
        ELSEWHERE,
    ]


def test_known_references_are_replaced_and_unknown_ones_stay():
    def lookup(ref: Ref) -> Json:
        return {"url": "https://q", "dnsName": "shop.example"}.get(ref.attribute, ABSENT)

    assert resolve({"a": [JOBS, ELSEWHERE], "b": ADDRESS, "c": (1,)}, lookup) == {
        "a": ["https://q", ELSEWHERE],
        "b": "http://shop.example/",
        "c": [1],
    }
    assert resolve(ADDRESS, lambda _: ABSENT) is ADDRESS


def test_a_digest_names_its_version_and_changes_with_the_content():
    assert digest_of({"a": 1}).startswith("v1:")
    assert digest_of({"a": 1}, version="v2").startswith("v2:")
    assert digest_of({"a": 1}) != digest_of({"a": 2})


def test_the_digest_of_known_content_never_changes_or_an_upgrade_would_redeploy_everything():
    assert canonical({"b": [JOBS], "a": "é"}) == '{"a":"é","b":[{"attribute":"url","ref":"Queue/jobs"}]}'
    assert digest_of({"b": [JOBS], "a": "é"}) == "v1:4db636bd8108cd9a"


# ----------------------------------------------------------------------------------------------------------- resources


def test_a_resources_digest_covers_name_spec_and_embedded_content_but_no_settings():
    one = Resource(WEB, {"desiredCount": 1})
    assert Resource(WEB, {"desiredCount": 1}, Settings(wave=3), labels={"team": "a"}).digest == one.digest
    others = [
        Resource(ResourceId("Service", "api"), one.spec),
        Resource(WEB, {"desiredCount": 2}),
        Resource(WEB, one.spec, embeds={"TaskDefinition/web": "v1:1"}),
    ]
    assert len({one.digest, *(other.digest for other in others)}) == 4


def test_a_resource_lists_each_reference_once():
    assert Resource(WEB, {"a": JOBS, "b": [JOBS, ELSEWHERE]}).references == (JOBS, ELSEWHERE)


def test_an_environments_digest_is_that_of_its_resources():
    environment = Environment("prod", "acme", "123456789012", "eu-west-1", ())
    desired = [
        Desired(environment, commit, {WEB: Resource(WEB, {"n": n})}) for commit, n in (("a", 1), ("b", 1), ("a", 2))
    ]
    assert environment.tag == "acme/prod"
    assert desired[0].digest == desired[1].digest != desired[2].digest


def test_places_are_written_so_that_editors_find_them():
    assert str(Origin("base/web.yaml", 7)) == "base/web.yaml:7"
    assert str(Problem("web.yaml", 3, 5, "spec.count", "not a number")) == "web.yaml:3:5: spec.count: not a number"
    assert str(Problem("web.yaml", 0, 0, "", "not UTF-8")) == "web.yaml: not UTF-8"


def test_invalid_manifests_have_every_reason_in_the_order_of_the_files():
    problems = tuple(Problem(path, line, 1, "", "wrong") for path, line in (("b", 1), ("a", 9), ("a", 2)))
    error = InvalidManifestsError(problems)
    assert [(problem.path, problem.line) for problem in error.problems] == [("a", 2), ("a", 9), ("b", 1)]
    assert str(error).count("\n") == 2


def test_an_aws_error_keeps_its_code_call_and_request():
    error = UnknownOutcomeError("no answer", code="Timeout", call="ecs:CreateService", request_id="r-1")
    assert (error.code, error.call, error.request_id, error.retry) == (
        "Timeout",
        "ecs:CreateService",
        "r-1",
        Retry.OBSERVE,
    )


def test_a_commit_has_a_short_id_and_an_author_as_git_writes_it():
    commit = Commit("0123456789abcdef", "Ann", "ann@example.com", datetime(2026, 1, 1, tzinfo=UTC), "Say it", ())
    assert (commit.short, commit.author) == ("0123456789", "Ann <ann@example.com>")


# ---------------------------------------------------------------------------------------------------------------- live


def live(**tags: str) -> Live:
    return Live(
        "Service",
        "arn:web",
        "shop/web",
        {},
        {f"reconciler:{key}": value for key, value in tags.items()},
        {"arn": "arn:web"},
    )


@pytest.mark.parametrize(
    ("tag", "resource"),
    [("Service/web", WEB), ("Cluster/web", None), ("Service/", None), ("/web", None), ("Service", None), ("", None)],
)
def test_a_tag_names_a_resource_only_of_the_objects_own_kind(tag, resource):
    assert live(resource=tag).resource == resource


def test_an_object_may_stand_for_a_resource_without_any_tag():
    assert Live(
        "TaskDefinition", "arn", "web:1", {}, stands_for=ResourceId("TaskDefinition", "web")
    ).resource == ResourceId("TaskDefinition", "web")


@pytest.mark.parametrize(
    ("tag", "commit", "since"),
    [
        ("c0ffee 2026-01-01T00:00:00Z", "c0ffee", datetime(2026, 1, 1, tzinfo=UTC)),
        ("c0ffee", "c0ffee", None),
        ("c0ffee yesterday", "c0ffee", None),
        ("", None, None),
    ],
)
def test_a_change_under_way_is_read_from_its_tag_even_if_somebody_edited_it(tag, commit, since):
    assert (live(applying=tag).applying, live(applying=tag).applying_since) == (commit, since)


def test_an_object_without_our_tags_is_nobodys():
    assert (live().environment, live().resource, live().applying) == (None, None, None)
    assert live(environment="acme/prod").environment == "acme/prod"


def test_objects_are_found_by_resource_by_kind_and_by_the_attribute_that_a_reference_asks_for():
    stranger = Live("Service", "arn:other", "shop/other", {})
    group = Live("TargetGroup", "arn:group", "group", {})
    lives = Lives({WEB: live(), ResourceId("TargetGroup", "g"): group}, [stranger])
    assert lives.get(WEB) == live()
    assert lives.get(JOBS.target) is None
    assert list(lives.of_kind("Service")) == [live(), stranger]
    assert lives.attribute(WEB, "arn") == "arn:web"
    assert (lives.attribute(WEB, "url"), lives.attribute(JOBS.target, "url")) == (ABSENT, ABSENT)


def test_the_worst_part_says_how_the_whole_is():
    parts = [Health(HealthState.HEALTHY), Health(HealthState.DEGRADED, "1 of 2"), Health(HealthState.PROGRESSING)]
    assert Health.worst(parts) == Health(HealthState.DEGRADED, "1 of 2")
    assert Health.worst([]) == Health(HealthState.HEALTHY)


# ------------------------------------------------------------------------------------------------------- calls and tags


def test_a_call_is_shown_with_its_references():
    call = Call("ecs", "UpdateService", {"taskDefinition": JOBS})
    assert call.name == "ecs:UpdateService"
    assert call.to_json()["params"] == {"taskDefinition": {"ref": "Queue/jobs", "attribute": "url"}}


def test_batches_are_as_large_as_the_api_takes():
    assert batches([1, 2, 3, 4, 5], 2) == [[1, 2], [3, 4], [5]]


def test_a_specs_tags_are_neither_ours_nor_those_of_aws():
    assert own_tags({"reconciler:commit": "c", "aws:stack": "s", "team": "shop"}) == {
        "tags": [{"key": "team", "value": "shop"}]
    }
    assert own_tags({"reconciler:commit": "c"}) == {}
    assert tags_by_key([{"key": "a"}, {"key": "b", "value": "1"}]) == {"a": "", "b": "1"}


def test_an_object_is_born_with_the_manifests_tags_and_ours():
    creation = Creation(
        WEB, "web", {"tags": [{"key": "z"}, {"key": "team", "value": "shop"}]}, {"reconciler:commit": "c"}, "t"
    )
    assert with_tags(creation) == [
        {"key": "reconciler:commit", "value": "c"},
        {"key": "team", "value": "shop"},
        {"key": "z", "value": ""},
    ]


@pytest.mark.parametrize(
    ("service", "operations"), [("ecs", ["TagResource", "UntagResource"]), ("elbv2", ["AddTags", "RemoveTags"])]
)
def test_tags_are_set_and_removed_by_the_services_own_calls(service, operations):
    assert [tag_call(service, "arn", {"a": "1"}).operation, untag_call(service, "arn", ["a"]).operation] == operations


def test_a_service_whose_tagging_calls_nobody_wrote_down_is_a_mistake():
    with pytest.raises(ValueError, match="sqs"):
        tag_call("sqs", "arn", {})
    with pytest.raises(ValueError, match="sqs"):
        untag_call("sqs", "arn", [])


def tags_change(
    before: dict[str, str], after: dict[str, str], path: tuple[str, ...] = ("tags", "[a]", "value")
) -> Change:
    def listed(tags: dict[str, str]) -> Json:
        return {"tags": [{"key": key, "value": value} for key, value in tags.items()]}

    difference = Difference(path, Cause.PENDING, "1", ABSENT, row=Field(TAGS_FIELD.path))
    return Change(WEB, Live("Service", "arn:web", "w", listed(before)), listed(after), (difference,))


def test_only_tags_that_change_are_written():
    calls = tag_changes(tags_change({"a": "0", "b": "1", "c": "2"}, {"a": "1", "b": "1"}), "ecs")
    assert [(call.operation, call.params) for call in calls] == [
        ("TagResource", {"resourceArn": "arn:web", "tags": [{"key": "a", "value": "1"}]}),
        ("UntagResource", {"resourceArn": "arn:web", "tagKeys": ["c"]}),
    ]


def test_tags_that_are_right_take_no_call():
    assert tag_changes(tags_change({"a": "1"}, {"a": "1"}), "ecs") == ()
    assert tag_changes(tags_change({}, {"a": "1"}, ("desiredCount",)), "ecs") == ()


def test_a_change_names_its_members_once_and_leaves_out_what_is_removed():
    paths = [("a", "x"), ("b",), ("a", "y")]
    differences = tuple(Difference(path, Cause.PENDING, 1, 2) for path in paths)
    change = Change(WEB, live(), {"a": {"x": 1}, "c": 3}, differences)
    assert change.changed() == ("a", "b")
    assert change.members() == {"a": {"x": 1}}


def test_a_kind_that_says_nothing_more_is_healthy_when_it_is_there_and_has_no_rollouts():
    kind = Kind(
        name="Log",
        summary="A log.",
        service="ecs",
        inputs=(),
        fields=(Field("name", effect=Effect.REPLACE), Field("days")),
        permissions=Permissions((), (), ()),
        read=lambda _: (),
        create=lambda _: (),
        update=lambda _: (),
        delete=lambda _: (),
        natural=lambda resource: resource.id.name,
        name_field="name",
    )
    resource = Resource(ResourceId("Log", "a"), {"name": "b"})
    assert (kind.health(live()), kind.rollout(live(), {}).state) == (Health(HealthState.HEALTHY), RolloutState.NONE)
    assert (kind.prepare({"a": 1}), tuple(kind.check({})), tuple(kind.after(resource, {}))) == ({"a": 1}, (), ())
    assert [row.path for row in kind.create_only()] == ["name"]
    assert (kind.physical_name(resource), kind.physical_name(Resource(resource.id, {"name": JOBS}))) == ("b", "a")
