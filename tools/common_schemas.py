"""The hand-written parts of the schemas: the envelope of every manifest, and the Environment.

`generate_schemas` puts them together with what it makes of the API models. They are in the strict form (see
`reconciler.manifests.forms`).
"""

from __future__ import annotations

from typing import Any, Final

from reconciler.core.values import Json
from reconciler.manifests.durations import HOW, PATTERN
from reconciler.manifests.envelope import NAME
from reconciler.manifests.validate import API_VERSION

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

DURATION: Final[Json] = {"type": "string", "pattern": PATTERN, "x-message": HOW}
_ENVIRONMENT_NAME: Final = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
_LABEL: Final = {"type": "string", "maxLength": 256}


def _object(properties: dict[str, Json], *, required: tuple[str, ...] = (), description: str = "") -> dict[str, Any]:
    made: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        made["required"] = sorted(required)
    return made | ({"description": description} if description else {})


def _labels() -> Json:
    return {"type": "object", "additionalProperties": _LABEL, "description": "Your own, to select resources by."}


def _metadata(name: Json) -> dict[str, Any]:
    return {
        "name": name,
        "labels": _labels(),
        "annotations": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "Notes; not read.",
        },
    }


RECONCILE: Final = _object(
    {
        "wave": {
            "type": "integer",
            "minimum": -100,
            "maximum": 100,
            "description": "Waits until the resources of earlier waves are healthy. Default: 0.",
        },
        "adopt": {"type": "boolean", "description": "Take over an object that exists already."},
        "protect": {"type": "boolean", "description": "Never delete it."},
        "timeout": DURATION | {"description": "A rollout that takes longer has failed. Default: the environment's."},
        "ignore": {
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "description": "Field paths that are neither compared nor written.",
        },
        "allowReplace": {"type": "string", "description": "The digest of a plan that may delete it and make it anew."},
    },
    description="How Reconciler treats the resource.",
)


def envelope(kind: str, spec: Json, *, name: str = NAME, name_help: str = "letters, digits, - and _") -> dict[str, Any]:
    """The schema of a kind's manifests around the schema of its spec."""
    metadata = _metadata({"type": "string", "pattern": name, "x-message": name_help})
    if kind != "Environment":
        metadata["previousName"] = {
            "type": "string",
            "pattern": NAME,
            "x-message": name_help,
            "description": "The name that it had before: renames without recreating.",
        }
    properties: dict[str, Json] = {
        "apiVersion": {"const": API_VERSION},
        "kind": {"const": kind},
        "metadata": _object(metadata, required=("name",)),
        "spec": spec,
    }
    if kind != "Environment":
        properties["reconcile"] = RECONCILE
        properties["$patch"] = {
            "enum": ["delete", "replace"],
            "description": "What a later layer does to the document.",
        }
    return _object(properties, required=("apiVersion", "kind", "metadata"))


_ACCOUNT: Final = {"type": "string", "pattern": r"^\d{12}$", "x-message": "an account is twelve digits"}
_REGION: Final = {
    "type": "string",
    "pattern": r"^[a-z]{2}(-[a-z]+)+-\d{1,2}$",
    "x-message": "a region is written as in eu-west-1",
}
_VARIABLES: Final = {
    "type": "object",
    "propertyNames": {
        "pattern": r"^[A-Za-z_][A-Za-z0-9_-]*$",
        "x-message": "the name of a variable has letters, digits, - and _",
    },
    "additionalProperties": {"type": ["string", "number", "boolean"]},
    "description": "For ${var.name}, put in as they are written here.",
}
_SELF_HEAL: Final = {
    "anyOf": [{"type": "boolean"}, _object({"after": DURATION}, required=("after",))],
    "description": "Put drift back, at once or after a delay. Default: false.",
}
_SYNC: Final = _object(
    {
        "mode": {"type": "string", "enum": ["auto", "manual"], "description": "auto applies commits. Default: manual."},
        "selfHeal": _SELF_HEAL,
        "undeclared": {"type": "string", "enum": ["alert", "ignore"], "description": "Default: alert."},
        "prune": {"type": "boolean", "description": "Delete owned resources whose manifest is gone. Default: false."},
        "maxDeletions": {
            "type": "integer",
            "minimum": 0,
            "maximum": 10000,
            "description": "For each commit. Default: 3.",
        },
        "timeout": DURATION | {"description": "A rollout that takes longer has failed. Default: 15m."},
        "never": {
            "type": "array",
            "items": _object(
                {"kind": {"type": "string"}, "fields": {"type": "array", "items": {"type": "string", "minLength": 1}}},
                required=("kind",),
            ),
            "description": "What is watched, but never put back.",
        },
        "windows": {
            "type": "array",
            "items": _object(
                {"deny": {"type": "string"}, "for": DURATION, "timezone": {"type": "string", "minLength": 1}},
                required=("deny", "for"),
            ),
            "description": "Times in which nothing is written: from each start of a cron expression, for so long.",
        },
    },
    description="What is done by itself.",
)


def environment() -> dict[str, Any]:
    """The schema of Environment manifests. It has no written form: variables and references are not read in it."""
    spec = _object(
        {
            "account": _ACCOUNT,
            "region": _REGION,
            "layers": {
                "type": "array",
                "minItems": 1,
                "maxItems": 50,
                "items": {"type": "string", "minLength": 1},
                "description": "Folders from the repository's root; each is merged over those before it.",
            },
            "variables": _VARIABLES,
            "sync": _SYNC,
        },
        required=("account", "region", "layers"),
    )
    help_text = "lower-case letters, digits and -, at most 63"
    made = envelope("Environment", spec, name=_ENVIRONMENT_NAME, name_help=help_text)
    return made | {"required": sorted([*made["required"], "spec"])}
