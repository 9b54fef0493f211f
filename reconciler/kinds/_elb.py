"""What the four Elastic Load Balancing kinds share: paging, reading tags, and the attributes with their own calls.

Called by `load_balancer`, `listener`, `listener_rule` and `target_group` only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from reconciler.core.call import Call, Reader, Repeat, batches
from reconciler.core.errors import NotFoundError
from reconciler.core.fields import Field, Reset
from reconciler.core.kind import Change, Creation, Fault, ReadRequest
from reconciler.core.live import TAG_APPLYING, TAG_ENVIRONMENT, TAG_RESOURCE
from reconciler.core.resource import Resource
from reconciler.core.tags import tags_by_key
from reconciler.core.values import ABSENT, Json, Ref, Spec

SERVICE = "elbv2"
PAGE = 400  # the largest page of every Describe* call, and the default of none (aws-behaviour: limits)
TAG_BATCH = 20  # ARNs in one DescribeTags
ATTRIBUTE_BATCH = 20  # attributes in one ModifyLoadBalancerAttributes; the other two calls name no limit
CACHE_SECONDS = 3600.0  # Describe*Attributes and DescribeListenerCertificates read one object a call
FRESH = -1.0  # seconds: older than this is even what was remembered within the same tick of the clock
GONE = Reset(ABSENT)
"""Removing the field writes AWS's default for it: the kind fills it in, because it depends on the other fields."""


def call(operation: str, **params: Json) -> Call:
    """A call that may be sent again when its answer is lost; `params` in the manifest's spelling."""
    return Call(SERVICE, operation, params)


def making(operation: str, params: Spec, captures: Mapping[str, str]) -> Call:
    """A call that makes an object. AWS refuses a second of that name, port or priority: look before sending again."""
    return Call(SERVICE, operation, params, Repeat.OBSERVE, captures)


def actions(*operations: str) -> tuple[str, ...]:
    """The IAM actions of operations: in this service they have the same names."""
    return tuple(f"elasticloadbalancing:{operation}" for operation in operations)


def members(source: Mapping[str, Json], names: Iterable[str]) -> Spec:
    """Those members of an answer or a spec that are there."""
    return {name: source[name] for name in names if source.get(name) is not None}


# -- reading -----------------------------------------------------------------------------------------------------------


def pages_of_many(reader: Reader, calls: Sequence[Call], member: str) -> list[list[Json]]:
    """For each call the list `member` over all its pages; first pages, as a rule the only ones, side by side."""
    answers = reader.read_many(calls)
    result: list[list[Json]] = []
    for first, answer in zip(calls, answers, strict=True):
        found = list(answer.get(member, ()))
        while marker := answer.get("nextMarker"):
            answer = reader.read(Call(first.service, first.operation, {**first.params, "marker": marker}))  # noqa: PLW2901 - the next page takes the place of the last
            found += answer.get(member, ())
        result.append(found)
    return result


def children(
    request: ReadRequest, describe: str, parameter: str, member: str, parents: Sequence[str]
) -> list[tuple[str, Json]]:
    """What hangs below each parent ARN, with that ARN: of parents that were just read, and of those a manifest names.

    A parent that only a manifest names may not exist; then nothing hangs below it.
    """

    def describe_one(arn: str) -> Call:
        return Call(SERVICE, describe, {parameter: arn, "pageSize": PAGE})

    listed = pages_of_many(request.reader, [describe_one(arn) for arn in parents], member)
    found = [(arn, child) for arn, page in zip(parents, listed, strict=True) for child in page]
    literal = (resource.spec.get(parameter) for resource in request.desired.values())
    for arn in dict.fromkeys(name for name in literal if isinstance(name, str) and name not in parents):
        try:
            [page] = pages_of_many(request.reader, [describe_one(arn)], member)
        except NotFoundError:
            continue
        found += [(arn, child) for child in page]
    return found


def tags_of(reader: Reader, arns: Sequence[str]) -> dict[str, dict[str, str]]:
    """The tags of each object, twenty to a call."""
    calls = [Call(SERVICE, "DescribeTags", {"resourceArns": batch}) for batch in batches(arns, TAG_BATCH)]
    return {
        described["resourceArn"]: tags_by_key(described.get("tags", ()))
        for answer in reader.read_many(calls)
        for described in answer.get("tagDescriptions", ())
    }


def candidates(
    request: ReadRequest,
    naturals: Mapping[str, str],
    tags: Mapping[str, Mapping[str, str]],
    natural: Callable[[Resource], str],
    also: Callable[[Resource], str] = lambda _resource: "",
) -> dict[str, Resource | None]:
    """The ARNs that the engine wants to see, each with the desired resource that it stands for, if one does.

    `naturals` gives the natural key of each ARN. Wanted is what carries the environment's tag, and what has the natural
    key of a desired resource, or the other one that `also` gives.
    """
    desired = request.desired.values()
    by_natural = {key: resource for keys in (also, natural) for resource in desired if (key := keys(resource))}
    by_name = {str(identity): resource for identity, resource in request.desired.items()}
    result: dict[str, Resource | None] = {}
    for arn, key in naturals.items():
        own = tags.get(arn, {})
        if own.get(TAG_ENVIRONMENT) == request.environment:
            result[arn] = by_name.get(own.get(TAG_RESOURCE, "")) or by_natural.get(key)
        elif key in by_natural:
            result[arn] = by_natural[key]
    return result


def cached_lists(
    request: ReadRequest,
    calls: Mapping[str, Call],
    member: str,
    fresh: Callable[[str, list[Json]], bool],
) -> dict[str, list[Json]]:
    """The list `member` that each call answers, by ARN, from the cache where it is younger than an hour.

    Where `fresh` finds that the remembered list does not fit what is declared, AWS is asked again: a difference that is
    reported was read in this pass.
    """
    keys = {f"{made.name}:{arn}": arn for arn, made in calls.items()}
    remembered = request.reader.cached_many(
        {key: calls[arn] for key, arn in keys.items()}, max_age_seconds=CACHE_SECONDS
    )
    doubtful = {key: calls[arn] for key, arn in keys.items() if fresh(arn, remembered[key].get(member, []))}
    if doubtful:
        remembered = {**remembered, **request.reader.cached_many(doubtful, max_age_seconds=FRESH)}
    return {arn: list(remembered[key].get(member, ())) for key, arn in keys.items()}


def cached_attributes(
    request: ReadRequest,
    describe: str,
    parameter: str,
    wanted: Mapping[str, Resource | None],
    tags: Mapping[str, Mapping[str, str]],
    defaults: Mapping[str, str],
) -> dict[str, list[Json]]:
    """The attributes of each ARN in `wanted`; asked for anew where declared ones differ or a change is under way."""

    def doubtful(arn: str, remembered: list[Json]) -> bool:
        resource = wanted[arn]
        return TAG_APPLYING in tags.get(arn, {}) or (
            resource is not None and not _has_all(remembered, resource.spec, defaults)
        )

    calls = {arn: Call(SERVICE, describe, {parameter: arn}) for arn in wanted}
    return cached_lists(request, calls, "attributes", doubtful)


def _has_all(attributes: list[Json], spec: Spec, defaults: Mapping[str, str]) -> bool:
    have = {**defaults, **{attribute["key"]: attribute.get("value") for attribute in attributes}}
    declared = spec.get("attributes") or []
    return all(have.get(attribute.get("key")) == attribute.get("value") for attribute in declared)


def full_name(arn: str) -> str:
    """What CloudWatch and scaling policies call it: the ARN's `app/web/50dc6c495c0c9188` or `targetgroup/web/…`."""
    return arn.rpartition(":")[2].removeprefix("loadbalancer/")


# -- writing -----------------------------------------------------------------------------------------------------------


def given(spec: Spec, *without: str) -> Spec:
    """The members of a spec that a create call can take as they stand: no empty ones, and none of `without`."""
    return {name: value for name, value in spec.items() if name not in without and value not in (None, [], {})}


def set_attributes(operation: str, parameter: str, creation: Creation) -> tuple[Call, ...]:
    """The calls that give a new object its declared attributes."""
    declared = creation.spec.get("attributes") or []
    arn = Ref(creation.resource, "arn")
    return tuple(
        Call(SERVICE, operation, {parameter: arn, "attributes": batch}) for batch in batches(declared, ATTRIBUTE_BATCH)
    )


def change_attributes(operation: str, parameter: str, change: Change, defaults: Mapping[str, str]) -> tuple[Call, ...]:
    """The calls for the attributes that a change touches.

    One that git no longer has gets its default, because AWS refuses an empty value; where no default is known it stays.
    """
    wanted = {item["key"]: item.get("value") for item in change.spec.get("attributes") or ()}
    written = [
        {"key": key, "value": value}
        for key in touched(change, "attributes")
        if (value := defaults.get(key) if wanted.get(key) is None else wanted[key]) is not None
    ]
    return tuple(
        Call(SERVICE, operation, {parameter: change.live.arn, "attributes": batch})
        for batch in batches(written, ATTRIBUTE_BATCH)
    )


def touched(change: Change, member: str) -> tuple[str, ...]:
    """The keys of a keyed list's members that differ."""
    paths = (difference.path for difference in change.differences)
    return tuple(dict.fromkeys(path[1][1:-1] for path in paths if path[0] == member and len(path) > 1))


# -- attributes in tables and checks -----------------------------------------------------------------------------------


def attribute_fields(defaults: Mapping[str, str], source: str) -> tuple[Field, ...]:
    """The rows of `attributes`. `defaults` has only those keys whose default is the same for every type."""

    def default(attribute: Spec) -> Json:
        return defaults.get(attribute.get("key", ""), ABSENT)

    return (
        Field("attributes", key=("key",), complete=False, removed=GONE, source=source),
        Field("attributes[].key", default=itself("key"), source="it is the name of the attribute, not a value"),
        Field("attributes[].value", default=default, source=source),
    )


def itself(name: str) -> Callable[[Spec], Json]:
    """A default that is always what was declared, for what AWS takes and does not tell: it is never a difference."""
    return lambda parent: parent.get(name, ABSENT)


def attribute_faults(spec: Spec) -> Iterable[Fault]:
    """Attributes that are set twice."""
    seen: set[str] = set()
    for index, attribute in enumerate(spec.get("attributes") or ()):
        key = attribute.get("key")
        if isinstance(key, str) and key in seen:
            yield Fault(f"attributes[{index}].key", f"{key} is set twice: keep one of the two")
        seen.add(key if isinstance(key, str) else "")


def name_faults(spec: Spec, longest: int, why: str = "") -> Iterable[Fault]:
    """A name that AWS would refuse; `longest` characters are left of AWS's 32."""
    name = spec.get("name")
    if not isinstance(name, str):
        return
    if len(name) > longest:
        yield Fault("name", f"{name!r} has {len(name)} characters; at most {longest} are possible{why}")
    if not name.replace("-", "").isalnum() or not name.isascii() or name != name.strip("-"):
        yield Fault("name", f"{name!r} may have letters, digits and hyphens only, and no hyphen at either end")
