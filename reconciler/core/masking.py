"""Secrets in what is shown: masked by the name that they stand under, and by their shape.

Everything that prints or serialises a value goes through here: differences, calls of a plan, messages, screens. It
knows no kind and trusts no caller to say what is secret; a kind's own `secret` rows come on top. What is harmless
(an image, a count, LOG_LEVEL) stays readable. Equal secrets look like different ones: no length, no hash is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from reconciler.core.values import Json, Ref, Template

MASK: Final = "••••••"

_WORDS: Final = frozenset(
    "password passwords passwd passphrase pwd pass secret secrets token tokens key keys apikey credential credentials "
    "creds auth authorization bearer jwt oauth private signature salt pin otp dsn".split()
)
_RUN_TOGETHER: Final = re.compile(
    r"passw|passphrase|pwd\Z|(?<!by)(?<!com|sur)pass\Z|secret(?!s?manager|ar|ion)|token(?!i[sz])"
    r"|(?:api|access|private|secret|ssh|rsa|signing|master|encryption|license)keys?"
)
"""What says secret inside a word too: SECRETKEYBASE, dbpassword; `secretsmanager` and `compass` say nothing."""
_PROSE: Final = frozenset("pass key keys credential credentials creds auth private signature pin".split())
"""Words that stand before a colon in sentences: `no credentials: sign in` gives nothing away."""
_HARMLESS_NAMES: Final = frozenset(
    # members of AWS's APIs whose values name things: ARNs, ids, idempotency tokens, tag keys
    "key keys tagKeys kmsKeyId kmsKey clientToken clientRequestToken nextToken tokenEndpoint authorizationEndpoint "
    "credentialsParameter credentialSpecs valueFrom sessionCookieName authorizationConfig".split()
)
"""Whole names that hold no secret themselves although a word in them says so."""
_NOT_THE_VALUE: Final = frozenset(
    "name arn file path ttl length size id ids count enabled timeout url host port user username mode level "
    "region endpoint algorithm issuer audience provider interval expiry policy version".split()
)
"""A last word that turns a secret's name into that of something about it: SECRET_ARN, TOKEN_TTL, KEY_FILE."""
_NAMED_BY: Final = ("name", "key", "httpHeaderName")
_PAIRED: Final = ("value", "values", "regexValues")

_SPLIT: Final = re.compile(r"[^A-Za-z]+|(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SHAPES: Final = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\Z)"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{12,}"
    r"|\beyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)*"
    r"|\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|xapp-|sk_live_|rk_live_|hvs\.|dop_v1_|shpat_)[\w.-]{10,}"
    r"|\b(?:npm_|pypi-|sk-)[\w-]{30,}|\bAIza[\w-]{30,}|\bSG\.[\w-]{16,}\.[\w-]{16,}|\bAGE-SECRET-KEY-\w+"
    r"|(?<=hooks\.slack\.com/)[\w/-]+"
    r"|(?<=\bBearer )[\w+/=.~-]{8,}",
    re.DOTALL,
)
_USERINFO: Final = re.compile(r"(?<=://)[^\s/?#'\"]+(?=@)")
_LOGIN: Final = re.compile(
    r"(?<!\S)(-u[\s=]{0,9}|--(?:proxy-)?user[\s=]{1,9})"
    r"(?:\"([^\"]*)\"|'([^']*)'|([\"']?[^\s\"']+(?:(?<=:)(?:\"[^\"]*\"|'[^']*'))?))"
)
"""What curl and its like take a name and a password after: `-u admin:pw`."""
_LOGIN_OPTIONS: Final = frozenset({"-u", "--user", "--proxy-user"})
_NO_LOGIN: Final = re.compile(r"(?:arn:|(?:https?|wss?|tcp|unix|s3)://)")
_NAME: Final = r"[A-Za-z][\w.-]{0,80}"
_ASSIGNED: Final = re.compile(rf"(?<![\w.-])(-{{0,2}})({_NAME})([\"']?\s{{0,9}}(?:=|:(?!//))\s{{0,9}})")
_SPACED: Final = re.compile(rf"(?<!\S)(--?)({_NAME})(\s{{1,9}})(?!-)")
_VALUE: Final = re.compile(
    r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|(?:(?:Bearer|Basic|Digest|Token)\s+)?(?:\$\{\w+\}|[^\s&;,|)}\]\"'])+",
    re.DOTALL,
)
_VARIABLE: Final = re.compile(r"\$\{[A-Za-z_]\w*\}|\$[A-Z_][A-Z0-9_]*|arn:\S+")


def secret_name(name: str) -> bool:
    """Whether a value under this name (a variable's, an option's, a map key's) is to be masked: DB_PASSWORD, apiKey."""
    if name in _HARMLESS_NAMES:
        return False
    words = [word.lower() for word in _SPLIT.split(name) if word]
    if not words or words[-1] in _NOT_THE_VALUE:
        # AWS_ACCESS_KEY_ID and its like: half of a credential
        return words[-3:] == ["access", "key", "id"]
    return not _WORDS.isdisjoint(words) or any(map(_RUN_TOGETHER.search, words))


def masked_text(text: str) -> str:
    """The text without what looks like a secret: known shapes, passwords in URLs, `--token x`, `PASSWORD=x`."""
    text = _SHAPES.sub(MASK, text)
    text = _USERINFO.sub(MASK, text)
    text = _LOGIN.sub(_without_login, text)
    return _without_values(_SPACED, _without_values(_ASSIGNED, text))


def _without_login(found: re.Match[str]) -> str:
    return found[1] + MASK if _is_login(found[2] or found[3] or found[4] or "") else found[0]


def _is_login(word: str) -> bool:
    """Whether this is a name and a password with a colon between them."""
    return ":" in word and not _NO_LOGIN.match(word)


def _without_values(names: re.Pattern[str], text: str) -> str:
    """Mask the values of secret names; what follows another name is looked through itself: `env: TOKEN=x`."""
    parts: list[str] = []
    done = 0
    for name in names.finditer(text):
        if name.start() < done or not _gives_away(name) or not (value := _VALUE.match(text, name.end())):
            continue
        if not _VARIABLE.fullmatch(value[0].strip("\"'")):
            quote = value[0][0] if value[0][0] in "\"'" else ""
            parts += [text[done : value.start()], quote, MASK, quote]
            done = value.end()
    return "".join([*parts, text[done:]])


def _gives_away(found: re.Match[str]) -> bool:
    dashes, name, between = found.groups()
    if not secret_name(name):
        return False
    if between == ":" and not dashes and found.string[found.start() - 1 : found.start()] == ":":
        return False  # a part of an ARN, such as `secret:name`
    prose = not dashes and between.startswith(":") and between != ":"
    return not (prose and name in _PROSE)


def masked(value: Json, path: Iterable[str] = ()) -> Json:
    """The value with every secret in it masked; `path` are the steps that lead to it, as a `Difference` has them."""
    return _masked(value, secret=_names_a_secret(tuple(path)))


def _names_a_secret(path: tuple[str, ...]) -> bool:
    """`environment`, `[DB_PASSWORD]`, `value`: the member's own name, or the last member that a person named."""
    steps = [step[1:-1] if step.startswith("[") else step for step in path]
    while steps and steps[-1] in _PAIRED:
        steps.pop()
    return bool(steps) and secret_name(steps[-1])


def _masked(value: Json, *, secret: bool) -> Json:
    match value:
        case Ref() | Template() | None | bool():
            return value
        case str():
            return (MASK if value else value) if secret else masked_text(value)
        case int() | float():
            return MASK if secret else value
        case dict():
            return _masked_members(value)
        case list() | tuple():
            return _masked_list(value, secret=secret)
        case _:
            return value


def _masked_members(value: dict[str, Json]) -> dict[str, Json]:
    named = next((value[one] for one in _NAMED_BY if isinstance(value.get(one), str)), "")
    pair = secret_name(named)
    return {
        name: _masked(member, secret=pair if name in _PAIRED else secret_name(name)) for name, member in value.items()
    }


def _masked_list(values: list[Json] | tuple[Json, ...], *, secret: bool) -> list[Json]:
    """A list; in that of a command, the word after `--password` is the password, and so is `admin:pw` after `-u`."""
    shown: list[Json] = []
    expected = login = False
    for value in values:
        pair = login and isinstance(value, str) and _is_login(value)
        shown.append(_masked(value, secret=secret or expected or pair))
        login = isinstance(value, str) and value in _LOGIN_OPTIONS
        option = isinstance(value, str) and value.startswith("-") and "=" not in value
        expected = option and secret_name(value.lstrip("-"))
    return shown
