"""`${…}` in text: ours, escaped, and everybody else's."""

from __future__ import annotations

import pytest

from reconciler.core.values import Ref, ResourceId, Template
from reconciler.manifests.variables import TextError, expand

VARIABLES = {"tag": "1.20", "count": "3", "public": "no", "name": "web", "dollars": "$${var.tag}"}


@pytest.mark.parametrize(
    ("text", "wanted", "value"),
    [
        ("web:${var.tag}", None, "web:1.20"),
        ("${var.name}-${var.tag}", None, "web-1.20"),
        ("${var.count}", "integer", 3),
        ("${var.count}", "number", 3),
        ("${var.count}", "string", "3"),
        ("${var.tag}", "string", "1.20"),
        ("${var.tag}", "number", 1.2),
        ("${var.public}", "boolean", False),
        ("${var.public}", "string", "no"),
        ("$${var.tag}", None, "${var.tag}"),
        ("$$${var.tag}", None, "$${var.tag}"),
        ("${HOME} $HOME ${foo:-bar} ${}", None, "${HOME} $HOME ${foo:-bar} ${}"),
        ("${ref:Queue/jobs.url}", None, Ref(ResourceId("Queue", "jobs"), "url")),
        ("${ref:Queue/jobs}", None, Ref(ResourceId("Queue", "jobs"), "")),
        ("http://${ref:LoadBalancer/a.dnsName}/", None,
         Template(("http://", Ref(ResourceId("LoadBalancer", "a"), "dnsName"), "/"))),
        ("${var.dollars}", "string", "$${var.tag}"),
    ],
)  # fmt: skip
def test_text_with_placeholders_becomes_a_value(text, wanted, value):
    assert expand(text, VARIABLES, wanted) == value


@pytest.mark.parametrize(
    ("text", "wanted", "message"),
    [
        ("${var.tga}", None, "no variable is named tga: did you mean tag?"),
        ("${var.name}", "integer", "the variable name is 'web', and a whole number is wanted here"),
        ("${var.count}", "boolean", "true or false is wanted here"),
        ("${var.tag", None, "is never closed"),
        ("${var.a${var.tag}}", None, "is never closed"),
        ("${ref:Queue}", None, "is not of the form Kind/name"),
        ("${ssm:/prod/password}", None, "looking up SSM parameters is not available"),
        ("${cfn:stack.output}", None, "looking up CloudFormation outputs is not available"),
        ("${tfstate:s3://x}", None, "looking up Terraform states is not available"),
        ("${var.tag}" * 20000, None, "longer than 65536 characters"),
    ],
)
def test_what_cannot_be_put_in_says_why(text, wanted, message):
    with pytest.raises(TextError, match=message.replace("?", r"\?")):
        expand(text, VARIABLES, wanted)


def test_what_a_variable_holds_is_never_expanded_again():
    bomb = {"a": "${var.b}${var.b}", "b": "${var.a}${var.a}"}
    assert expand("${var.a}", bomb, "string") == "${var.b}${var.b}"


def test_a_long_text_without_an_end_takes_linear_time():
    text = "${var." * 100_000
    with pytest.raises(TextError, match="never closed"):
        expand(text, VARIABLES, None)
