"""The Resource Groups Tagging API: GetResources with its filters and pages, tagging that tells what failed.

moto miscounts the tags of a page's first resource, keeps an iterator per token that later changes confuse, and accepts
combinations that AWS refuses. Which resources there are is still the backends' answer (`iter_tagged_resources`).
Installed by `server`. Source: API reference of GetResources.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.resource_tagging import TaggedResource, iter_taggable_backends, make_tag_matcher
from moto.resourcegroupstaggingapi.models import ResourceGroupsTaggingAPIBackend
from werkzeug.exceptions import HTTPException

from reconciler.emulator.errors import AwsError

__all__ = ["install"]

_MOST_ARNS = 100
_MOST_FILTERS = 50


def _of_type(resource: TaggedResource, filters: list[str]) -> bool:
    """`elasticloadbalancing` takes all of it, `…:loadbalancer` load balancers, `…:loadbalancer/app` those of a sort."""
    if not filters:
        return True
    service, _, path = resource.arn.split(":", 2)[2].partition(":")
    own = f"{service}:{path.split(':', 2)[-1]}"
    names = {service, resource.resource_type}
    return any(name in names or own.startswith(f"{name}/") for name in filters)


def _get_resources(
    backend: Any,
    pagination_token: str | None = None,
    resources_per_page: int = 50,
    tags_per_page: int = 100,
    tag_filters: list[dict[str, Any]] | None = None,
    resource_type_filters: list[str] | None = None,
    resource_arn_list: list[str] | None = None,
) -> tuple[str | None, list[TaggedResource]]:
    arns = set(resource_arn_list or [])
    if arns and (tag_filters or resource_type_filters):
        raise AwsError(
            "InvalidParameterException", "ResourceARNList cannot be combined with TagFilters or ResourceTypeFilters"
        )
    if len(arns) > _MOST_ARNS or len(tag_filters or []) > _MOST_FILTERS:
        raise AwsError("InvalidParameterException", "Too many resource ARNs or tag filters")
    matches = make_tag_matcher(tag_filters)
    found = [
        resource
        for part in iter_taggable_backends(backend.account_id, backend.region_name)
        for resource in part.iter_tagged_resources()
        if (resource.tags or resource.extra.get("include_untagged"))
        and (not arns or resource.arn in arns)
        and _of_type(resource, resource_type_filters or [])
        and matches(resource.tags)
    ]
    found.sort(key=lambda resource: resource.arn)
    page: list[TaggedResource] = []
    tags = 0
    for resource in found:
        if pagination_token and resource.arn <= pagination_token:
            continue
        if len(page) == resources_per_page or (page and tags + len(resource.tags) > tags_per_page):
            return page[-1].arn, page
        page.append(resource)
        tags += len(resource.tags)
    return None, page


def _tag(backend: Any, resource_arns: list[str], tags: dict[str, str]) -> dict[str, dict[str, Any]]:
    return _each(backend, resource_arns, lambda owner, arn: owner.tag_resource(arn, tags))


def _untag(backend: Any, resource_arn_list: list[str], tag_keys: list[str]) -> dict[str, dict[str, Any]]:
    return _each(backend, resource_arn_list, lambda owner, arn: owner.untag_resource(arn, tag_keys))


def _each(backend: Any, arns: list[str], change: Callable[[Any, str], None]) -> dict[str, dict[str, Any]]:
    """Change resource by resource; return the FailedResourcesMap: what fails for one leaves the others done."""
    failed: dict[str, dict[str, Any]] = {}
    for arn in arns:
        owner = backend._get_backend_for_resource(arn)
        reason = "" if owner is not None else f"no service of the emulator owns {arn}"
        try:
            if owner is not None:
                change(owner, arn)
        except (ServiceException, HTTPException, NotImplementedError) as error:
            reason = str(getattr(error, "message", "")) or repr(error)
        if reason:
            failed[arn] = {"StatusCode": 400, "ErrorCode": "InvalidParameterException", "ErrorMessage": reason}
    return failed


def install() -> None:
    """Patch moto. Twice is once."""
    backend: Any = ResourceGroupsTaggingAPIBackend
    backend.get_resources = _get_resources
    backend.tag_resources = _tag
    backend.untag_resources = _untag
