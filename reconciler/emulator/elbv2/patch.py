"""Puts this package in moto's place: its operations on moto's response class, its targets behind moto's backend.

`server` calls `install` once, before the first request. moto keeps dispatching and serialising; its own state for
ELBv2 stays empty. EC2 and Auto Scaling in moto reach target groups through the backend: those methods lead here too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from moto import settings
from moto.core.resource_tagging import TaggedResource
from moto.core.responses import ActionContext, ActionResult
from moto.core.utils import get_service_model
from moto.elbv2.exceptions import TargetGroupNotFoundError
from moto.elbv2.models import ELBv2Backend
from moto.elbv2.responses import ELBV2Response

from reconciler.emulator.elbv2 import (
    attributes,
    listeners,
    load_balancers,
    rules,
    state,
    tags,
    target_groups,
    targets,
)
from reconciler.emulator.elbv2.errors import ElbError, validation
from reconciler.emulator.validate import problems
from reconciler.emulator.world import World

__all__ = ["PlainResult", "install", "reset"]

GHOST_SECONDS = 600.0  # how long the tagging API lists what is deleted; AWS promises nothing, and it takes minutes

Operation = Callable[[state.Store, dict[str, Any]], dict[str, Any]]

_PARTS = (attributes, listeners, load_balancers, rules, tags, target_groups)


class PlainResult(ActionResult):
    """A result whose dictionaries have the API's own member names: nothing to guess, and many times faster."""

    def execute_result(self, context: ActionContext) -> Any:
        """Serialise by the operation's output shape."""
        serializer = context.serializer_class(context.operation_model, pretty_print=settings.PRETTIFY_RESPONSES)
        answer = serializer.serialize(self.result)
        return answer["status_code"], answer["headers"], answer["body"]


def _method(operation: Operation) -> Callable[[Any], ActionResult]:
    def method(response: Any) -> ActionResult:
        _ = response.elbv2_backend  # the tagging API looks only at backends that somebody has used
        parameters = response.params or {}
        shape = get_service_model("elbv2").operation_model(response._get_action()).input_shape
        found = list(problems(shape, parameters))
        if found:
            plural = "s" if len(found) > 1 else ""
            raise validation(f"{len(found)} validation error{plural} detected: {'; '.join(found)}")
        return PlainResult(operation(state.store(response.current_account, response.region), parameters))

    return method


def _iter_tagged(backend: Any) -> Iterator[TaggedResource]:
    store = state.store(backend.account_id, backend.region_name)
    for kind in ("loadbalancer", "targetgroup", "listener", "listener-rule"):
        for arn, record in store.table(kind).items():
            if record.ever_tagged:
                extra = {"include_untagged": True}
                yield TaggedResource(arn, dict(record.tags), f"elasticloadbalancing:{kind}", extra)
    now = World.current().now()
    for arn, ghost in store.ghosts.items():
        if now < ghost.deleted_at + timedelta(seconds=GHOST_SECONDS):
            yield TaggedResource(arn, dict(ghost.tags), f"elasticloadbalancing:{ghost.kind}")


def _tag(_: Any, arn: str, new: dict[str, str]) -> None:
    kind = state.kind_of(arn)
    tags.put(state.store_of(arn).get(kind or "loadbalancer", arn), new)


def _untag(_: Any, arn: str, keys: list[str]) -> None:
    record = state.store_of(arn).get(state.kind_of(arn) or "loadbalancer", arn)
    record.tags = {key: value for key, value in record.tags.items() if key not in keys}


def _register(_: Any, target_group_arn: str, instances: list[dict[str, Any]]) -> None:
    group = state.store_of(target_group_arn).get("targetgroup", target_group_arn)
    for target in instances:
        port = target.get("Port") or target.get("port") or group.view.get("Port")
        targets.register(target_group_arn, target.get("Id") or target["id"], port)


def _deregister(_: Any, target_group_arn: str, instances: list[dict[str, Any]]) -> None:
    gone = {target.get("Id") or target.get("id") for target in instances}
    for identity, port in list(targets.health(target_group_arn)):
        if identity in gone:
            targets.deregister(target_group_arn, identity, port)


def _terminated(backend: Any, instance_ids: list[str]) -> None:
    for arn in state.store(backend.account_id, backend.region_name).target_groups:
        _deregister(backend, arn, [{"Id": identity} for identity in instance_ids])


def _describe_groups(
    backend: Any, load_balancer_arn: str | None, target_group_arns: list[str], names: list[str] | None
) -> list[Any]:
    store = state.store(backend.account_id, backend.region_name)
    asked = {"LoadBalancerArn": load_balancer_arn, "TargetGroupArns": target_group_arns, "Names": names}
    try:
        answer = target_groups.OPERATIONS["describe_target_groups"](store, {k: v for k, v in asked.items() if v})
    except ElbError as error:
        raise TargetGroupNotFoundError from error  # moto's Auto Scaling catches its own
    return [
        SimpleNamespace(arn=group["TargetGroupArn"], name=group["TargetGroupName"], port=group.get("Port"))
        for group in answer["TargetGroups"]
    ]


def install() -> None:
    """Patch moto. Twice is once."""
    response: Any = ELBV2Response
    response.RESPONSE_KEY_PATH_TO_TRANSFORMER = {}
    for part in _PARTS:
        for name, operation in part.OPERATIONS.items():
            setattr(response, name, _method(operation))
    backend: Any = ELBv2Backend
    backend.iter_tagged_resources = _iter_tagged
    backend.tag_resource = _tag
    backend.untag_resource = _untag
    backend.register_targets = _register
    backend.deregister_targets = _deregister
    backend.notify_terminate_instances = _terminated
    backend.describe_target_groups = _describe_groups


def reset() -> None:
    """Forget everything."""
    state.reset()
