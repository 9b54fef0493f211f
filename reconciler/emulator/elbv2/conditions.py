"""Conditions of rules: what AWS refuses, and its echo (`Values` beside each `*Config`, sorted by field).

Source: API reference of RuleCondition, and answers recorded from the real API in the project's notes.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from reconciler.emulator.elbv2.errors import validation

__all__ = ["accepted"]

_CONFIG = {
    "host-header": "HostHeaderConfig",
    "path-pattern": "PathPatternConfig",
    "http-header": "HttpHeaderConfig",
    "query-string": "QueryStringConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "source-ip": "SourceIpConfig",
}
_SHORT_FORM = {"host-header", "path-pattern"}
_ONCE = {"host-header", "path-pattern", "http-request-method", "source-ip"}
_SETS = {"path-pattern", "http-header", "http-request-method", "source-ip"}  # AWS keeps no order in their values
_MOST_VALUES = 5


def accepted(conditions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the conditions as AWS keeps and echoes them. Raises ValidationError for those that it refuses."""
    if not conditions:
        raise validation("A condition must be specified")
    kept = sorted((_echo(condition) for condition in conditions), key=lambda condition: str(condition["Field"]))
    fields = [condition["Field"] for condition in kept]
    for field in _ONCE:
        if fields.count(field) > 1:
            raise validation(f"A rule can only have one '{field}' condition")
    if sum(len(_values(condition)) for condition in kept) > _MOST_VALUES:
        raise validation(f"A rule can have at most '{_MOST_VALUES}' condition values")
    return kept


def _values(condition: dict[str, Any]) -> list[Any]:
    config = condition[_CONFIG[condition["Field"]]]
    return [*config.get("Values", []), *config.get("RegexValues", [])]


def _echo(condition: dict[str, Any]) -> dict[str, Any]:
    field = condition.get("Field")
    if field not in _CONFIG:
        raise validation(f"Condition field '{field}' must be one of '[{', '.join(sorted(_CONFIG))}]'")
    name = _CONFIG[field]
    wrong = [other for other in _CONFIG.values() if other != name and other in condition]
    if wrong:
        raise validation(f"'{wrong[0]}' cannot be specified with a condition on '{field}'")
    short = {key: condition[key] for key in ("Values", "RegexValues") if condition.get(key)}
    if short and field not in _SHORT_FORM:
        raise validation(f"The 'Values' field is not compatible with '{field}'")
    if short and condition.get(name):
        raise validation(f"You cannot provide both Values and '{name}' for a condition of type '{field}'")
    config = dict(condition.get(name) or short)
    if field in _SETS and config.get("Values"):
        config["Values"] = sorted(config["Values"])
    if not config.get("Values") and not config.get("RegexValues"):
        raise validation(f"A condition value must be specified for '{field}'")
    if config.get("Values") and config.get("RegexValues"):
        raise validation(f"You cannot provide both Values and RegexValues for '{field}'")
    _check(field, config)
    echo: dict[str, Any] = {"Field": field, "Values": [], name: config}
    if field in _SHORT_FORM:
        echo["Values"] = list(config.get("Values", []))
        if config.get("RegexValues"):
            echo["RegexValues"] = list(config["RegexValues"])
    return echo


def _check(field: str, config: dict[str, Any]) -> None:
    for value in config.get("Values", []):
        text = value.get("Value", "") if isinstance(value, dict) else value
        if len(text) > 128 or (isinstance(value, dict) and len(value.get("Key", "")) > 128):
            raise validation(f"The '{field}' value is too long; the limit is '128'")
        if isinstance(value, dict) and "Value" not in value:
            raise validation("A 'Value' must be specified in 'QueryStringKeyValuePair'")
        if field == "source-ip":
            try:
                ipaddress.ip_network(text)
            except ValueError as error:
                raise validation(f"The 'source-ip' value '{text}' must be a CIDR block") from error
    if field == "http-header" and not 0 < len(config.get("HttpHeaderName", "")) <= 40:
        raise validation("The 'HttpHeaderName' must have between 1 and 40 characters")
