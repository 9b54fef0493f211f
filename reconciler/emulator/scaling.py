"""Application Auto Scaling: scalable targets as AWS keeps and describes them. Nothing scales yet; they are honoured.

moto pages them wrongly, drops tags, and takes a new target without limits. The targets stay in moto's backend, because
moto's scaling policies and scheduled actions look for them there. Installed by `server`.
Source: API reference of RegisterScalableTarget, DescribeScalableTargets, ListTagsForResource.
"""

from __future__ import annotations

import json
from typing import Any

from moto.applicationautoscaling.models import ApplicationAutoscalingBackend
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.ecs.models import ecs_backends

from reconciler.emulator.errors import AwsError
from reconciler.emulator.world import World

__all__ = ["install", "reset"]

_MOST_RESULTS = 50
_SUSPENDED = {
    "DynamicScalingInSuspended": False,
    "DynamicScalingOutSuspended": False,
    "ScheduledScalingSuspended": False,
}
_tags: dict[str, dict[str, str]] = {}


def _given(response: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(response.body)
    return found


def _service_role(account: str, namespace: str) -> str:
    name = {"ecs": "ECSService"}.get(namespace, namespace.title())
    return (
        f"arn:aws:iam::{account}:role/aws-service-role/{namespace}.application-autoscaling.amazonaws.com/"
        f"AWSServiceRoleForApplicationAutoScaling_{name}"
    )


def _view(account: str, target: Any) -> dict[str, Any]:
    return {
        "ServiceNamespace": target.service_namespace,
        "ResourceId": target.resource_id,
        "ScalableDimension": target.scalable_dimension,
        "MinCapacity": target.min_capacity,
        "MaxCapacity": target.max_capacity,
        "RoleARN": _service_role(account, target.service_namespace),  # AWS puts its own in the place of a given one
        "CreationTime": target.creation_time,
        "SuspendedState": {**_SUSPENDED, **(target.suspended_state or {})},
        "ScalableTargetARN": target.arn,
    }


def _describe(response: Any) -> str:
    response._validate_params()
    given = _given(response)
    size = given.get("MaxResults", _MOST_RESULTS)
    if not 1 <= size <= _MOST_RESULTS:
        raise AwsError("ValidationException", f"MaxResults must be between 1 and {_MOST_RESULTS}, not {size}")
    if len(given.get("ResourceIds", [])) > _MOST_RESULTS:
        raise AwsError("ValidationException", f"Cannot describe more than {_MOST_RESULTS} resource ids in one call")
    token = given.get("NextToken", "0")
    if not token.isdigit():
        raise AwsError("InvalidNextTokenException", f"The token '{token}' is not valid")
    targets = response.applicationautoscaling_backend.describe_scalable_targets(
        given["ServiceNamespace"], given.get("ResourceIds"), given.get("ScalableDimension")
    )
    start = int(token)
    page = targets[start : start + size]
    answer: dict[str, Any] = {"ScalableTargets": [_view(response.current_account, target) for target in page]}
    if start + size < len(targets):
        answer["NextToken"] = str(start + size)
    return json.dumps(answer)


def _register(response: Any) -> str:
    response._validate_params()
    given = _given(response)
    backend = response.applicationautoscaling_backend
    known = backend.targets.get(given["ScalableDimension"], {}).get(given["ResourceId"])
    low = given.get("MinCapacity", known.min_capacity if known else None)
    high = given.get("MaxCapacity", known.max_capacity if known else None)
    if low is None or high is None:
        raise AwsError("ValidationException", "A new scalable target must have a minimum and a maximum capacity")
    if low > high or low < 0:
        raise AwsError("ValidationException", f"Minimum capacity {low} cannot be greater than maximum {high}")
    if known is not None and given.get("Tags"):
        raise AwsError("ValidationException", "Tags can be given only when the scalable target is created")
    target = backend.register_scalable_target(
        given["ServiceNamespace"],
        given["ResourceId"],
        given["ScalableDimension"],
        min_capacity=low,
        max_capacity=high,
        role_arn=given.get("RoleARN"),
        suspended_state={**(known.suspended_state or {} if known else {}), **given.get("SuspendedState", {})},
    )
    if known is None:
        target.creation_time = World.current().now().timestamp()
        _tags[target.arn] = dict(given.get("Tags", {}))
    return json.dumps({"ScalableTargetARN": target.arn})


def _deregister(response: Any) -> str:
    response._validate_params()
    given = _given(response)
    targets = response.applicationautoscaling_backend.targets.get(given["ScalableDimension"], {})
    target = targets.pop(given["ResourceId"], None)
    if target is None:
        raise AwsError(
            "ObjectNotFoundException",
            f"No scalable target found for service namespace: {given['ServiceNamespace']}, "
            f"resource ID: {given['ResourceId']}, scalable dimension: {given['ScalableDimension']}",
        )
    _tags.pop(target.arn, None)
    return json.dumps({})


def _tags_of(response: Any) -> dict[str, str]:
    arn = _given(response)["ResourceARN"]
    if arn not in _tags:
        raise AwsError("ResourceNotFoundException", f"The resource {arn} was not found")
    return _tags[arn]


def _list_tags(response: Any) -> str:
    return json.dumps({"Tags": _tags_of(response)})


def _tag(response: Any) -> str:
    tags = _tags_of(response)
    merged = tags | _given(response)["Tags"]
    if len(merged) > 50:
        raise AwsError("TooManyTagsException", "A scalable target can have at most 50 tags")
    tags.update(merged)
    return json.dumps({})


def _untag(response: Any) -> str:
    tags = _tags_of(response)
    for key in _given(response)["TagKeys"]:
        tags.pop(key, None)
    return json.dumps({})


def _service_exists(backend: Any, resource_id: str) -> bool:
    """Look where the emulated ECS keeps its services; an INACTIVE one does not exist."""
    for service in ecs_backends[backend.account_id][backend.region_name].services.values():
        path = str(service.physical_resource_id).split(":", 5)[5]
        if path == resource_id and service.status != "INACTIVE":
            return True
    raise AwsError("ValidationException", f"ECS service doesn't exist: {resource_id}")


def install() -> None:
    """Patch moto. Twice is once."""
    response: Any = ApplicationAutoScalingResponse
    response.describe_scalable_targets = _describe
    response.register_scalable_target = _register
    response.deregister_scalable_target = _deregister
    response.list_tags_for_resource = _list_tags
    response.tag_resource = _tag
    response.untag_resource = _untag
    backend: Any = ApplicationAutoscalingBackend
    backend._ecs_service_exists_for_target = _service_exists


def reset() -> None:
    """Forget the tags; the targets lie in moto's backend."""
    _tags.clear()
