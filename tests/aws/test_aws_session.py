"""Sessions: assumed roles, settings, endpoints."""

import pytest

from reconciler.aws.session import connect
from reconciler.core.call import Call
from reconciler.core.errors import AccessDeniedError, RefusedError
from tests.aws.conftest import Reply, answer, xml

ROLE = "arn:aws:iam::123456789012:role/reconciler"
CLUSTERS = Call("ecs", "DescribeClusters")


def assumed(key, expires) -> Reply:
    return xml(
        "AssumeRole",
        f"<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
        f"<SessionToken>t</SessionToken><Expiration>{expires}</Expiration></Credentials>",
    )


@pytest.fixture
def as_role(aws):
    session = connect("eu-west-1", role_arn=ROLE, external_id="x-1", session_name="who is/it", endpoint_url=aws.url)
    yield session
    session.close()


def signer(request) -> str:
    authorization: str = request.headers["Authorization"]
    return authorization.partition("Credential=")[2].partition("/")[0]


def test_an_assumed_role_signs_the_calls_and_is_assumed_once(aws, as_role, make_gate):
    aws.on("AssumeRole", assumed("ASIAROLE", "2099-01-01T00:00:00Z"))
    aws.on("DescribeClusters", answer(clusters=[]))
    gate = make_gate(session=as_role)
    gate.read(CLUSTERS)
    gate.read(CLUSTERS)
    assert [(request.operation, signer(request)) for request in aws.requests] == [
        ("AssumeRole", "AKIDEXAMPLE"),
        ("GetCallerIdentity", "ASIAROLE"),
        ("DescribeClusters", "ASIAROLE"),
        ("DescribeClusters", "ASIAROLE"),
    ]
    form = aws.requests[0].params
    assert (form["RoleArn"], form["ExternalId"], form["RoleSessionName"]) == (ROLE, "x-1", "who-is-it")


def test_a_role_session_that_is_about_to_end_is_renewed(aws, as_role, make_gate):
    aws.on("AssumeRole", assumed("ASIAONE", "2001-01-01T00:00:00Z"), assumed("ASIATWO", "2099-01-01T00:00:00Z"))
    aws.on("DescribeClusters", answer(clusters=[]))
    with pytest.raises(AccessDeniedError):  # botocore refuses credentials that arrive expired
        make_gate(session=as_role).read(CLUSTERS)
    make_gate(session=as_role).read(CLUSTERS)
    assert signer(aws.requests[-1]) == "ASIATWO"


def test_without_credentials_the_error_says_what_to_do(aws, monkeypatch, make_gate):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    session = connect("eu-west-1", endpoint_url=aws.url)
    with pytest.raises(AccessDeniedError, match="aws sso login"):
        make_gate(session=session).read(CLUSTERS)
    assert aws.requests == []


def test_the_endpoint_of_the_environment_is_honoured(aws, monkeypatch, make_gate):
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    aws.on("DescribeClusters", answer(clusters=[]))
    session = connect("eu-west-1")
    assert make_gate(session=session).read(CLUSTERS) == {"clusters": []}
    session.close()


def test_botocore_itself_never_repeats_whatever_the_environment_says(monkeypatch, aws):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "7")
    monkeypatch.setenv("AWS_RETRY_MODE", "legacy")
    session = connect("eu-west-1", endpoint_url=aws.url)
    assert session.client("ecs").meta.config.retries == {"mode": "standard", "total_max_attempts": 1}
    session.close()


def test_clients_are_made_once(session):
    assert session.client("ecs") is session.client("ecs")


@pytest.mark.parametrize("role", [None, ROLE])
def test_an_unknown_profile_is_named(aws, make_gate, role):
    session = connect("eu-west-1", profile="shop", role_arn=role, endpoint_url=aws.url)
    with pytest.raises(RefusedError, match="no AWS profile 'shop'"):
        make_gate(session=session).read(CLUSTERS)
    with pytest.raises(RefusedError, match="no AWS profile 'shop'"):
        make_gate(session=session).cached(CLUSTERS, key="c", max_age_seconds=None)
    assert aws.requests == []


@pytest.mark.parametrize(
    ("region", "endpoint", "words"),
    [("not a region", None, r"spec\.region"), ("eu-west-1", "nonsense", "AWS_ENDPOINT_URL")],
)
def test_a_region_or_endpoint_of_a_wrong_form_is_one_sentence(make_gate, region, endpoint, words):
    session = connect(region, endpoint_url=endpoint)
    with pytest.raises(RefusedError, match=words):
        make_gate(session=session).read(CLUSTERS)
