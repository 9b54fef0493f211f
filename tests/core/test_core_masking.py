"""Masking: what must never be shown, and what must stay readable."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.call import Call
from reconciler.core.difference import Cause, Difference
from reconciler.core.masking import MASK, masked, masked_text, secret_name
from reconciler.core.values import Ref, ResourceId, Template

CANARY = "hunter2canary"
REF = Ref(ResourceId("Secret", "db"), "arn")


@pytest.mark.parametrize(
    "name",
    "DB_PASSWORD PGPASSWORD dbPassword MYSQL_ROOT_PASSWORD SECRET_KEY_BASE apiKey API_KEY apikey STRIPE_TOKEN "
    "splunk-token AUTH AWS_SECRET_ACCESS_KEY AWS_ACCESS_KEY_ID GITHUB_PRIVATE_KEY clientSecret CREDENTIALS "
    "com.example.secret DB_PASS SENTRY_DSN X-Api-Key signing_key SSHKey PASSWORD_2 PASSWORD1 "
    "dbPassword2 SECRETKEYBASE secretkeybase TOKEN2VALUE APIKEYS DBPWD pgpass SECRET1 sshkey DBPASSWORDPROD apiKey2 "
    "PASSWORD_TYPE".split(),
)
def test_a_name_that_says_secret_is_one(name: str) -> None:
    assert secret_name(name)


@pytest.mark.parametrize(
    "name",
    "LOG_LEVEL image desiredCount SECRET_ARN TOKEN_TTL KEY_FILE PASSWORD_FILE tokenEndpoint clientToken tagKeys key "
    "valueFrom kmsKeyId AUTH_MODE MONKEY TURKEYS BYPASS_CACHE compass AUTHOR cpu _ 1 "
    "secretsmanager secretary tokenizer PWD_PATH2 sha256".split(),
)
def test_other_names_stay_readable(name: str) -> None:
    assert not secret_name(name)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"export DB_PASSWORD={CANARY}; run", f"export DB_PASSWORD={MASK}; run"),
        (f"run --password {CANARY} --level info", f"run --password {MASK} --level info"),
        (f"run --api-key={CANARY} -v", f"run --api-key={MASK} -v"),
        (f"run --secret 'two {CANARY}' x", f"run --secret '{MASK}' x"),
        (f'{{"password": "{CANARY}", "level": 3}}', f'{{"password": "{MASK}", "level": 3}}'),
        (f"env: TOKEN={CANARY} x", f"env: TOKEN={MASK} x"),
        (f"postgres://shop:{CANARY}@db:5432/shop", f"postgres://{MASK}@db:5432/shop"),
        (f"postgres://shop:p@{CANARY}@db/shop", f"postgres://{MASK}@db/shop"),
        (f"https://example.com/x?token={CANARY}&page=2", f"https://example.com/x?token={MASK}&page=2"),
        (f"jdbc:mysql://db/x?user=a;password={CANARY}", f"jdbc:mysql://db/x?user=a;password={MASK}"),
        (f"-H 'Authorization: Basic {CANARY}' x", f"-H 'Authorization: {MASK}' x"),
        (f"PASSWORD=${{PREFIX}}{CANARY} x", f"PASSWORD={MASK} x"),
        (f"curl -u admin:{CANARY} https://x", f"curl -u {MASK} https://x"),
        (f"curl -uadmin:{CANARY} x", f"curl -u{MASK} x"),
        (f"curl --user admin:{CANARY} x", f"curl --user {MASK} x"),
        (f"curl --user=admin:{CANARY} x", f"curl --user={MASK} x"),
        (f"curl --proxy-user 'admin:two {CANARY}' x", f"curl --proxy-user {MASK} x"),
        (f'curl -u "admin:two {CANARY}" x', f"curl -u {MASK} x"),
        (f"curl -u admin:'two {CANARY}' x", f"curl -u {MASK} x"),
        (f"sh -c 'curl -u admin:{CANARY}'", f"sh -c 'curl -u {MASK}'"),
        (f"send Bearer {CANARY} along", f"send Bearer {MASK} along"),
        ("id AKIAIOSFODNN7EXAMPLE used", f"id {MASK} used"),
        ("ghp_abcdefghij0123456789", MASK),
        ("eyJhbGciOi.eyJzdWIiOi.abc-def", MASK),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nrest", f"{MASK}\nrest"),
        ("-----BEGIN PRIVATE KEY-----\ncut off", MASK),
        ("https://hooks.slack.com/services/T0/B0/abc", f"https://hooks.slack.com/{MASK}"),
    ],
)
def test_a_text_loses_its_secrets_and_nothing_else(text: str, shown: str) -> None:
    assert masked_text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "registry.example/web:1.4.2",
        "registry.example/web@sha256:0123456789abcdef",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-password-AbCdEf",
        "there are no AWS credentials: sign in with `aws sso login`",
        "it was not sent in this pass: AccessDenied",
        "PASSWORD=$DB_PASSWORD SECRET=${SECRET} KEY=arn:aws:kms:eu-west-1:1:key/1",
        "https://registry.example/npm/@scope/package",
        "run --password --level info",
        "token=",
        "curl -u admin https://x",
        "sync -u https://example.com --user arn:aws:iam::1:user/x",
        "curl -u '' x:y",
        "secretsmanager:GetSecretValue",
        "--level info",
        "",
    ],
)
def test_a_text_without_secrets_is_shown_as_it_is(text: str) -> None:
    assert masked_text(text) == text


def test_environment_labels_options_commands_and_headers_are_masked_by_name() -> None:
    content = {
        "environment": [{"name": "DB_PASSWORD", "value": CANARY}, {"name": "LOG_LEVEL", "value": "info"}],
        "secrets": [{"name": "TOKEN", "valueFrom": "arn:aws:ssm:eu-west-1:1:parameter/token"}],
        "logConfiguration": {"options": {"splunk-token": CANARY, "splunk-url": "https://splunk.example"}},
        "dockerLabels": {"com.example.secret": CANARY},
        "command": ["run", "--password", CANARY, "--level", "info", f"--token={CANARY}", "--go"],
        "entryPoint": ["curl", "-u", f"admin:{CANARY}", "--user", "admin", f"-uadmin:{CANARY}", "-u", 1, "a:b"],
        "httpHeaderConfig": {"httpHeaderName": "X-Origin-Secret", "values": [CANARY]},
        "queryStringConfig": {"values": [{"key": "token", "value": CANARY}]},
        "secretPin": 1234,
        "apiKeys": [CANARY, True, None],
        "tags": [{"key": "team", "value": "shop"}],
        "clientToken": "0123",
    }
    shown = masked(content)
    assert CANARY not in str(shown)
    assert shown["environment"] == [{"name": "DB_PASSWORD", "value": MASK}, {"name": "LOG_LEVEL", "value": "info"}]
    assert shown["secrets"] == content["secrets"]
    assert shown["logConfiguration"]["options"] == {"splunk-token": MASK, "splunk-url": "https://splunk.example"}
    assert shown["command"] == ["run", "--password", MASK, "--level", "info", f"--token={MASK}", "--go"]
    assert shown["entryPoint"] == ["curl", "-u", MASK, "--user", "admin", f"-u{MASK}", "-u", 1, "a:b"]
    assert (shown["secretPin"], shown["apiKeys"]) == (MASK, [MASK, True, None])
    assert (shown["tags"], shown["clientToken"]) == (content["tags"], "0123")


def test_what_is_not_there_and_what_only_refers_is_shown() -> None:
    template = Template(("postgres://", REF))
    shown = masked({"password": REF, "secret": "", "token": template, "other": object}, ())
    assert shown == {"password": REF, "secret": "", "token": template, "other": object}
    assert masked(("a", 1)) == ["a", 1]


@pytest.mark.parametrize(
    ("path", "secret"),
    [
        (("environment", "[DB_PASSWORD]", "value"), True),
        (("options", "[splunk-token]"), True),
        (("authenticateOidcConfig", "clientSecret"), True),
        (("environment", "[LOG_LEVEL]", "value"), False),
        (("secrets", "[DB_PASSWORD]", "valueFrom"), False),
        (("containerDefinitions", "[token]", "image"), False),
        (("value",), False),
    ],
)
def test_a_difference_is_masked_by_the_name_in_its_path(path: tuple[str, ...], secret: bool) -> None:
    shown = Difference(path, Cause.DRIFTED, CANARY, "other").to_json()
    assert (shown["desired"], shown["live"]) == ((MASK, MASK) if secret else (CANARY, "other"))


def test_the_calls_of_a_plan_are_masked_in_json() -> None:
    call = Call("ecs", "RegisterTaskDefinition", {"environment": [{"name": "TOKEN", "value": CANARY}]})
    assert CANARY not in str(call.to_json())
    assert call.params["environment"][0]["value"] == CANARY  # what is sent is not touched


@given(st.from_regex(r"[A-Za-z0-9]{12,20}", fullmatch=True), st.text(max_size=40), st.text(max_size=40))
def test_a_password_in_a_variable_is_nowhere_in_what_is_shown(canary: str, before: str, after: str) -> None:
    value = {"name": "DB_PASSWORD", "value": before + canary + after}
    assert canary not in str(masked({"environment": [value]})["environment"][0]["value"])


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_values_keep_their_form(value: Any) -> None:
    shown = masked(value)
    assert isinstance(shown, type(value))


@pytest.mark.parametrize(
    "part", ["a:", "--key ", '"', "://", "eyJaaaaaa.", "token='", "-----BEGIN ", "a", "-u ", "-u '", "-u a:"]
)
def test_hostile_texts_take_no_long_time(part: str) -> None:
    """Each takes under 0.2 s when the work grows with the length; with its square it would take minutes."""
    assert isinstance(masked_text(part * 40_000), str)
