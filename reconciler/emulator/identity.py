"""Who makes a call: access key → account and principal, by what moto's IAM and STS handed out.

Used by `edge` for each call and by the trail for `userIdentity`. Patches two things in moto: an unknown access key
belongs to the world's account (not to moto's fixed one), and its caller is that account's root user.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import moto.iam.models as iam
from moto.sts.models import STSBackend, sts_backends

from reconciler.emulator.world import World

__all__ = ["Principal", "install", "principal_of"]


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller. `kind` is CloudTrail's userIdentity.type: Root, IAMUser or AssumedRole."""

    kind: str
    arn: str
    account: str
    principal_id: str
    access_key: str
    user_name: str = ""
    role_arn: str = ""


def account_of(access_key: str) -> str:
    """Return the account that an access key belongs to; the world's own for a key that nobody handed out."""
    for account, backends in list(iam.iam_backends.items()):
        if any(access_key in backend.access_keys for backend in backends.values()):
            return str(account)
    return World.current().account


def principal_of(access_key: str) -> Principal:
    """Return the caller behind an access key."""
    account = account_of(access_key)
    if account in sts_backends:
        for sts in sts_backends[account].values():
            role = sts.get_assumed_role_from_access_key(access_key)
            if role is not None:
                caller = f"{_role_id(account, role.role_arn)}:{role.session_name}"
                return Principal("AssumedRole", role.arn, account, caller, access_key, role_arn=role.role_arn)
    for backend in iam.iam_backends[account].values() if account in iam.iam_backends else ():
        key = backend.access_keys.get(access_key)
        user = backend.users.get(key.user_name) if key is not None and key.user_name else None
        if user is not None:
            return Principal("IAMUser", user.arn, account, user.id, access_key, user_name=user.name)
    return Principal("Root", f"arn:aws:iam::{account}:root", account, account, access_key)


def _role_id(account: str, role_arn: str) -> str:
    """Return a role's unique id; one made from the ARN where nobody created the role (moto lets it be assumed)."""
    for backend in iam.iam_backends[account].values():
        for role in backend.roles.values():
            if role.arn == role_arn:
                return str(role.id)
    return "AROA" + sha256(role_arn.encode()).hexdigest()[:17].upper()


def _caller_identity(_: STSBackend, access_key_id: str, region: str) -> tuple[str, str, str]:  # noqa: ARG001 - moto's
    who = principal_of(access_key_id)
    return who.principal_id, who.arn, who.account


def install() -> None:
    """Patch moto. Twice is once."""
    patched: Any = iam
    patched.get_account_id_from = account_of
    sts: Any = STSBackend
    sts.get_caller_identity = _caller_identity
