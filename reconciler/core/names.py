"""The names that AWS sees, where they are more than what the manifest says.

The planner makes objects under them; `ownership` finds an object again that has lost its tags.
"""

from __future__ import annotations

from typing import Final

from reconciler.core.kind import Kind
from reconciler.core.resource import Resource
from reconciler.core.values import Spec, digest_of

SUFFIX_LENGTH: Final = 6
MAX_SUFFIXED: Final = 32  # characters that Elastic Load Balancing takes for a target group's name


def physical_name(kind: Kind, resource: Resource, environment: str, spec: Spec) -> str:
    """The name that AWS sees. A suffixed one changes with the fields that cannot be changed, so both can exist."""
    name = kind.physical_name(resource)
    if not kind.suffixed:
        return name
    fixed = {row.path: spec.get(row.path) for row in kind.create_only() if row.path != kind.name_field}
    suffix = digest_of([environment, str(resource.id), fixed]).partition(":")[2][:SUFFIX_LENGTH]
    return f"{name[: MAX_SUFFIXED - SUFFIX_LENGTH - 1]}-{suffix}"
