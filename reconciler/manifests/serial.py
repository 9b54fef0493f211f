"""`Desired` as JSON and back, exactly: so that a rendering can be cached by its commit.

References are written as objects with a key that no manifest can have (`$ref`, `$template`), not the way a manifest
writes them: a label named `ref` must stay a label. Keys that begin with `$` are escaped with one more.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from reconciler.core.resource import Desired, Environment, Never, Origin, Resource, Settings, Sync, Window
from reconciler.core.values import Json, Ref, ResourceId, Template

VERSION: Final = 1
_NESTED: Final = (dict, list)  # everything else in JSON stands for itself


class UnknownVersionError(ValueError):
    """The text was written by another version: render again."""


def to_json(desired: Desired) -> Json:
    """Pure JSON, in the order of the resources."""
    return {
        "version": VERSION,
        "commit": desired.commit,
        "environment": _environment(desired.environment),
        "resources": [_resource(resource) for resource in desired.resources.values()],
        "warnings": list(desired.warnings),
    }


def from_json(data: Json) -> Desired:
    """What `to_json` was given. Raises UnknownVersionError."""
    if not isinstance(data, dict) or data.get("version") != VERSION:
        raise UnknownVersionError("the rendering was stored by another version")
    resources = [_read_resource(entry) for entry in data["resources"]]
    return Desired(
        environment=_read_environment(data["environment"]),
        commit=data["commit"],
        resources={resource.id: resource for resource in resources},
        warnings=tuple(data["warnings"]),
    )


def write_value(value: Json) -> Json:
    """A value with its references as objects."""
    match value:
        case Ref():
            return {"$ref": [value.target.kind, value.target.name, value.attribute, value.environment]}
        case Template():
            return {"$template": [write_value(part) for part in value.parts]}
        case dict():
            return {f"${key}" if key.startswith("$") else key: write_value(member) for key, member in value.items()}
        case list():
            return [write_value(member) for member in value]
        case _:
            return value


def read_value(data: Json) -> Json:
    """The reverse of `write_value`."""
    if type(data) is list:
        return [read_value(member) if type(member) in _NESTED else member for member in data]
    if type(data) is not dict:
        return data
    if "$ref" in data:
        kind, name, attribute, environment = data["$ref"]
        return Ref(ResourceId(kind, name), attribute, environment)
    if "$template" in data:
        return Template(tuple(read_value(part) for part in data["$template"]))
    return {
        key.removeprefix("$"): read_value(member) if type(member) in _NESTED else member for key, member in data.items()
    }


def _resource(resource: Resource) -> Json:
    settings = resource.settings
    return {
        "id": [resource.id.kind, resource.id.name],
        "spec": write_value(resource.spec),
        "settings": {
            "wave": settings.wave,
            "adopt": settings.adopt,
            "protect": settings.protect,
            "timeout": _seconds(settings.timeout),
            "ignore": list(settings.ignore),
            "allowReplace": settings.allow_replace,
        },
        "labels": dict(resource.labels),
        "previousName": resource.previous_name,
        "origins": [_origin(origin) for origin in resource.origins],
        "partOf": [resource.part_of.kind, resource.part_of.name] if resource.part_of else None,
        "embeds": dict(resource.embeds),
    }


def _read_resource(data: Mapping[str, Any]) -> Resource:
    settings = data["settings"]
    return Resource(
        id=ResourceId(*data["id"]),
        spec=read_value(data["spec"]),
        settings=Settings(
            wave=settings["wave"],
            adopt=settings["adopt"],
            protect=settings["protect"],
            timeout=_read_seconds(settings["timeout"]),
            ignore=tuple(settings["ignore"]),
            allow_replace=settings["allowReplace"],
        ),
        labels=data["labels"],
        previous_name=data["previousName"],
        origins=tuple(Origin(*origin) for origin in data["origins"]),
        part_of=ResourceId(*data["partOf"]) if data["partOf"] else None,
        embeds=data["embeds"],
    )


def _environment(environment: Environment) -> Json:
    sync = environment.sync
    return {
        "name": environment.name,
        "installation": environment.installation,
        "account": environment.account,
        "region": environment.region,
        "layers": list(environment.layers),
        "variables": dict(environment.variables),
        "origin": _origin(environment.origin),
        "sync": {
            "mode": sync.mode,
            "selfHeal": sync.self_heal,
            "selfHealAfter": sync.self_heal_after.total_seconds(),
            "undeclared": sync.undeclared,
            "prune": sync.prune,
            "maxDeletions": sync.max_deletions,
            "timeout": sync.timeout.total_seconds(),
            "never": [[never.kind, list(never.fields)] for never in sync.never],
            "windows": [[window.deny, window.duration.total_seconds(), window.timezone] for window in sync.windows],
        },
    }


def _read_environment(data: Mapping[str, Any]) -> Environment:
    sync = data["sync"]
    return Environment(
        name=data["name"],
        installation=data["installation"],
        account=data["account"],
        region=data["region"],
        layers=tuple(data["layers"]),
        variables=data["variables"],
        origin=Origin(*data["origin"]),
        sync=Sync(
            mode=sync["mode"],
            self_heal=sync["selfHeal"],
            self_heal_after=timedelta(seconds=sync["selfHealAfter"]),
            undeclared=sync["undeclared"],
            prune=sync["prune"],
            max_deletions=sync["maxDeletions"],
            timeout=timedelta(seconds=sync["timeout"]),
            never=tuple(Never(kind, tuple(fields)) for kind, fields in sync["never"]),
            windows=tuple(Window(deny, timedelta(seconds=seconds), zone) for deny, seconds, zone in sync["windows"]),
        ),
    )


def _origin(origin: Origin) -> Json:
    return [origin.path, origin.line, origin.column]


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()


def _read_seconds(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
