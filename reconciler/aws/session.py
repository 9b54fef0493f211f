"""Credentials, clients and their settings: what the gate sends with.

`connect` is called once per environment and pass (or kept between passes, with a new `pass_id`). botocore's own retries
are off, because it repeats writes whose answer was lost; the gate repeats what may be repeated.
"""

from __future__ import annotations

import re
import threading
import uuid
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import CredentialProvider, CredentialResolver, DeferredRefreshableCredentials
from botocore.exceptions import (
    BotoCoreError,
    CredentialRetrievalError,
    InvalidEndpointConfigurationError,
    NoCredentialsError,
)

from reconciler.aws import wire
from reconciler.aws.models import LOADER, Untyped

__all__ = ["Session", "connect"]

CONNECT_TIMEOUT: Final = 5.0  # seconds
READ_TIMEOUT: Final = 30.0  # seconds without a byte; AWS's slowest control-plane writes answer within ten
ROLE_DURATION: Final = 3600  # seconds; the most that role chaining allows
_NOT_IN_A_SESSION_NAME: Final = re.compile(r"[^\w+=,.@-]", re.ASCII)


def connect(
    region: str,
    *,
    role_arn: str | None = None,
    external_id: str | None = None,
    session_name: str = "reconciler",
    endpoint_url: str | None = None,
    profile: str | None = None,
    connections: int = 16,
) -> Session:
    """A session in a region; no call is made yet, credentials are looked for at the first one.

    `role_arn` is assumed from the credentials found (environment, profile, container or instance role), with
    `external_id` where its trust policy asks for one, and renewed before it expires. `session_name` is what CloudTrail
    shows as the caller. `endpoint_url` goes to every service; without it botocore honours AWS_ENDPOINT_URL.
    `connections` is kept open per service at most: the gate's workers, and some.

    Raises nothing of AWS: what is wrong with profile, region or endpoint shows at the gate's first call.
    """
    config = Config(
        region_name=region,
        retries={"mode": "standard", "total_max_attempts": 1},
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        max_pool_connections=connections,
        user_agent_extra=f"reconciler/{_version()}",
        tcp_keepalive=True,
    )
    source = _botocore_session(profile)
    if role_arn is None:
        return Session(boto3.Session(botocore_session=source, region_name=region), region, config, endpoint_url)
    request = {
        "RoleArn": role_arn,
        "RoleSessionName": _NOT_IN_A_SESSION_NAME.sub("-", session_name)[:64].ljust(2, "-"),
        "DurationSeconds": ROLE_DURATION,
    } | ({"ExternalId": external_id} if external_id else {})
    core = _botocore_session(profile)
    provider = _AssumedRole(source, request, config, endpoint_url)
    core.register_component("credential_provider", CredentialResolver([provider]))
    return Session(boto3.Session(botocore_session=core, region_name=region), region, config, endpoint_url)


class Session:
    """Clients of one account and region, one per service; safe for threads. Close it to close their connections."""

    def __init__(self, boto: boto3.Session, region: str, config: Config, endpoint_url: str | None) -> None:
        self.region = region
        self.pass_id = uuid.uuid4().hex[:12]
        """Stands in the user agent of every call, so that CloudTrail shows which pass made it."""
        self._boto = boto
        self._config = config
        self._endpoint_url = endpoint_url
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()
        boto.events.register("before-send.*.*", self._name_the_pass)
        boto.events.register_first("before-parse.*.*", wire.check_answer)
        boto.events.register_last("before-parse.ecs.DescribeServices", wire.trim_events)

    def client(self, service: str) -> Untyped:
        """botocore's client of a service, made once. Raises botocore's errors for an unknown service or region."""
        client = self._clients.get(service)
        if client is None:
            with self._lock:  # making a client is not safe for threads; using one is
                client = self._clients.get(service)
                if client is None:
                    client = self._clients[service] = self._make(service)
        return client

    def endpoint(self, service: str) -> str:
        """Where the calls of a service go: AWS's own address, or that of something which behaves like AWS."""
        url: str = self.client(service).meta.endpoint_url
        return url

    def ready(self) -> None:
        """Find or renew the credentials now, so that a failure of that is never taken for one of the call itself.

        Raises botocore's NoCredentialsError and its like, and ClientError of AssumeRole.
        """
        credentials = self._boto.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        try:
            credentials.get_frozen_credentials()
        except RuntimeError as error:  # botocore's word for credentials that are past their end on arrival
            raise CredentialRetrievalError(provider=credentials.method, error_msg=str(error)) from error

    def close(self) -> None:
        """Close the connections; the session may be used again, and opens new ones."""
        with self._lock:
            clients, self._clients = self._clients, {}
        for client in clients.values():
            client.close()

    def _make(self, service: str) -> Untyped:
        try:
            return self._boto.client(service, config=self._config, endpoint_url=self._endpoint_url)
        except BotoCoreError:
            raise
        except ValueError as error:  # of botocore's for an endpoint that is no URL
            raise InvalidEndpointConfigurationError(msg=str(error)) from error

    def _name_the_pass(self, request: Untyped, **_: Untyped) -> None:
        agent = request.headers["User-Agent"]  # not part of the signature; botocore rebuilds it until just before this
        agent = agent.decode() if isinstance(agent, bytes) else agent
        request.headers["User-Agent"] = f"{agent} pass/{self.pass_id}"


class _AssumedRole(CredentialProvider):  # type: ignore[misc]  # botocore has no types
    """Credentials of a role, renewed by botocore some minutes before they expire."""

    METHOD = "assume-role"
    CANONICAL_NAME = "reconciler"

    def __init__(self, source: Untyped, request: dict[str, Any], config: Config, endpoint_url: str | None) -> None:
        super().__init__(source)
        self._source = source
        self._request = request
        self._config = config
        self._endpoint_url = endpoint_url

    def load(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(refresh_using=self._assume, method=self.METHOD)

    def _assume(self) -> dict[str, Any]:
        client = self._source.create_client("sts", config=self._config, endpoint_url=self._endpoint_url)
        try:
            credentials = client.assume_role(**self._request)["Credentials"]
        finally:
            client.close()
        return {
            "access_key": credentials["AccessKeyId"],
            "secret_key": credentials["SecretAccessKey"],
            "token": credentials["SessionToken"],
            "expiry_time": credentials["Expiration"].isoformat(),
        }


def _botocore_session(profile: str | None) -> Untyped:
    session = botocore.session.Session(profile=profile)
    session.register_component("data_loader", LOADER)
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=wire.fast_timestamp)
    return session


def _version() -> str:
    try:
        return version("reconciler")
    except PackageNotFoundError:
        return "0"
