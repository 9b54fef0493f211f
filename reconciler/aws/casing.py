"""One spelling for every API: lowerCamelCase in manifests, plans and reports, the API's own member names at the wire.

The gate calls `to_api` and `from_api` around each call; the schema generator calls `lower`. The translation follows the
shapes of the API model: members of structures are renamed, map keys (tags of a queue, labels of a container) and JSON
documents are left alone. Each operation is compiled once; an API that is lowerCamelCase already, such as ECS, costs
nothing.

Timestamps in answers are aware `datetime` values in UTC: the parser makes them anyway and kinds compare them. In the
cache, which is JSON, they are ISO 8601 strings, and `from_json` turns those members (no others) back.

`python -m reconciler.aws.casing` prints schemas/casing.json: every member whose spelling is more than a lowered first
letter. The rule decides; the file is committed so that a change of the rule, or a new name in a newer API model, is
seen in review.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, TypeAlias

from botocore.model import Shape

from reconciler.aws.models import Untyped, operation_model, service_model
from reconciler.core.values import Json

__all__ = ["SERVICES", "from_api", "from_json", "lower", "structures", "table", "to_api"]

SERVICES: Final = (
    "application-autoscaling", "autoscaling", "cloudformation", "cloudwatch", "ec2", "ecr", "ecs", "elbv2", "events",
    "iam", "logs", "scheduler", "servicediscovery", "sns", "sqs",
)  # fmt: skip
"""The services whose members the committed table covers."""

Convert: TypeAlias = Callable[[Json], Json]

_CAPITALS: Final = re.compile(r"[A-Z]+")


@cache
def lower(name: str) -> str:
    """The lowerCamelCase spelling of an API member.

    The leading run of capitals is lowered, but for the last one where it begins a word: `TargetGroupArn` →
    `targetGroupArn`, `VPCZoneIdentifier` → `vpcZoneIdentifier`, `OKActions` → `okActions`, `TTL` → `ttl`,
    `MD5OfBody` → `md5OfBody`.
    """
    found = _CAPITALS.match(name)
    if not found:
        return name
    run, rest = found.group(), name[found.end() :]
    if len(run) > 1 and rest[:1].islower():
        return run[:-1].lower() + run[-1] + rest
    return run.lower() + rest


def to_api(service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters in the API's spelling. A name that the API does not have is left for botocore to refuse."""
    convert = _request(service, operation)
    given = dict(params)
    return convert(given) if convert else given


def from_api(service: str, operation: str, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer in the manifest's spelling, without botocore's ResponseMetadata. The answer given is used up."""
    answer.pop("ResponseMetadata", None)
    convert = _answer(service, operation)
    return convert(answer) if convert else answer


def from_json(service: str, operation: str, answer: dict[str, Any]) -> dict[str, Any]:
    """An answer that went through JSON: its timestamps, by then ISO 8601 strings, are `datetime` again."""
    convert = _revived(service, operation)
    return convert(answer) if convert else answer


def structures(service: str) -> Iterator[Untyped]:
    """Every structure of a service's API, as botocore's StructureShape."""
    model = service_model(service)
    for name in model.shape_names:
        shape = model.shape_for(name)
        if shape.type_name == "structure":
            yield shape


def table() -> dict[str, str]:
    """What schemas/casing.json holds: the members whose spelling is more than a lowered first letter, sorted."""
    names = {name for service in SERVICES for shape in structures(service) for name in shape.members}
    return {name: lower(name) for name in sorted(names) if lower(name) != name[0].lower() + name[1:]}


@cache
def _request(service: str, operation: str) -> Convert | None:
    shape = operation_model(service, operation).input_shape
    return _Compiler(lambda name: (lower(name), name), {}).compile(shape) if shape else None


@cache
def _answer(service: str, operation: str) -> Convert | None:
    shape = operation_model(service, operation).output_shape
    return _Compiler(lambda name: (name, lower(name)), {}).compile(shape) if shape else None


@cache
def _revived(service: str, operation: str) -> Convert | None:
    shape = operation_model(service, operation).output_shape
    return _Compiler(lambda name: (lower(name), lower(name)), {"timestamp": _moment}).compile(shape) if shape else None


def _moment(value: str) -> datetime:
    return datetime.fromisoformat(value).astimezone(UTC)


class _Compiler:
    """Makes of a shape one function that converts a value of it, or None where nothing in it changes."""

    def __init__(self, spelling: Callable[[str], tuple[str, str]], leaves: Mapping[str, Convert]) -> None:
        self._spelling = spelling  # an API member's name → its spelling before and after
        self._leaves = leaves  # by the type of a scalar
        self._made: dict[str, Convert | None] = {}

    def compile(self, shape: Shape) -> Convert | None:
        if shape.name not in self._made:
            self._made[shape.name] = self._make(shape) if self._changes(shape, set()) else None
        return self._made[shape.name]

    def _changes(self, shape: Shape, seen: set[str]) -> bool:
        if shape.name in seen:
            return False
        seen.add(shape.name)
        match shape.type_name:
            case "structure" if not shape.is_document_type:
                renamed = any(before != after for before, after in map(self._spelling, shape.members))
                return renamed or any(self._changes(member, seen) for member in shape.members.values())
            case "list":
                return self._changes(shape.member, seen)
            case "map":
                return self._changes(shape.value, seen)
            case leaf:
                return leaf in self._leaves

    def _make(self, shape: Shape) -> Convert | None:
        match shape.type_name:
            case "structure":
                return self._structure(shape)
            case "list":
                convert = self.compile(shape.member)
                return _listing(convert) if convert else None
            case "map":
                convert = self.compile(shape.value)
                return _mapping(convert) if convert else None
            case leaf:
                return self._leaves[leaf]

    def _structure(self, shape: Untyped) -> Convert:
        members: dict[str, tuple[str, Convert | None]] = {}

        def convert(value: Json) -> Json:
            if type(value) is not dict:
                return value  # botocore's own validation says what is wrong with it
            result = {}
            for key, member in value.items():
                known = members.get(key)
                if known is None:
                    result[key] = member
                    continue
                name, inner = known
                result[name] = member if inner is None or member is None else inner(member)
            return result

        self._made[shape.name] = convert  # before the members: a shape may contain itself
        for name, member in shape.members.items():
            before, after = self._spelling(name)
            members[before] = (after, self.compile(member))
        return convert


def _listing(convert: Convert) -> Convert:
    def each(value: Json) -> Json:
        if type(value) not in (list, tuple):
            return value
        return [None if member is None else convert(member) for member in value]

    return each


def _mapping(convert: Convert) -> Convert:
    def each(value: Json) -> Json:
        if type(value) is not dict:
            return value
        return {key: None if member is None else convert(member) for key, member in value.items()}

    return each


def main() -> None:
    """Write the table to standard output, the way it is committed."""
    sys.stdout.write(json.dumps(table(), indent=2) + "\n")


if __name__ == "__main__":
    main()
