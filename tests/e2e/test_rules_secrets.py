"""Secrets: a value that stands under PASSWORD and its like is in AWS and in git, and in nothing that we say.

What a report, a plan, a hold or an error shows is what logs, notifications and dashboards get. Who a value belongs to
is told by its name and by its shape, never by who asks.
"""

from __future__ import annotations

import json
import logging

import pytest

from reconciler.core.errors import ReconcilerError
from reconciler.core.report import PassReport
from reconciler.emulator.faults import Fault
from tests.e2e.rules_kit import AUTO, causes, content
from tests.e2e.stage import Stage, environment
from tests.e2e.test_rules_drift import change_by_hand, let_pass

CANARY = "canary-7d1f0c"
NAMES = ("DB_PASSWORD", "API_TOKEN", "CLIENT_SECRET", "AWS_SECRET_ACCESS_KEY", "githubToken")


@pytest.fixture
def leaky(small: Stage) -> Stage:
    """The corner shop, with secrets where they should not be: in plain environment variables."""
    secrets = "".join(f", {{name: {name}, value: {CANARY}-{name}}}" for name in NAMES)
    small.edit("base/service.yaml", ("{name: LOG_LEVEL, value: info}", "{name: LOG_LEVEL, value: info}" + secrets))
    small.write({"environments/test.yaml": environment("{mode: auto}")})
    small.commit("secrets in the open")
    return small


def shown(report: PassReport) -> str:
    """All that a report gives away to whoever serialises it."""
    held = [item.to_json() for item in report.plan.held]
    texts = [action.why for action in report.plan.actions] + [note for one in report.plan.actions for note in one.notes]
    return json.dumps([report.to_json(), held, texts, list(report.plan.notes)], default=str)


def test_what_is_made_and_what_drifts_shows_the_fields_and_no_secret(
    leaky: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "reconciler")
    reports = [leaky.run(AUTO)]
    leaky.settle(order=AUTO)
    assert CANARY in str(content(leaky))  # it did get to AWS
    change_by_hand(leaky, DB_PASSWORD=f"{CANARY}-by-hand", LOG_LEVEL="debug")
    let_pass(leaky)
    report = leaky.run(AUTO)
    field = "taskDefinition.containerDefinitions[app].environment[DB_PASSWORD].value"
    assert causes(report, "Service/web")[field] == "drifted"
    reports += [report, *leaky.reports]
    for one in reports:
        assert CANARY not in shown(one)
    assert "debug" in shown(report)  # what is harmless stays readable
    assert CANARY not in caplog.text


def test_what_a_failed_call_carried_is_not_in_its_error(leaky: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "reconciler")
    leaky.aws.faults.add(
        Fault("ecs:RegisterTaskDefinition", "error", code="ClientException", message="Invalid", status=400, times=None)
    )
    report = leaky.run(AUTO)
    assert report.failures
    assert CANARY not in shown(report)
    assert CANARY not in str(report.failures)
    assert CANARY not in caplog.text


def test_a_manifest_that_is_wrong_where_a_secret_stands_does_not_quote_it(leaky: Stage) -> None:
    leaky.edit("base/service.yaml", (f"value: {CANARY}-API_TOKEN", f"value: [{CANARY}-API_TOKEN]"))
    leaky.commit("a list, where text is wanted")
    with pytest.raises(ReconcilerError) as error:
        leaky.run(AUTO)
    assert "base/service.yaml" in str(error.value)
    assert CANARY not in str(error.value)


def test_a_field_that_was_dropped_and_stays_does_not_show_its_value(leaky: Stage) -> None:
    leaky.settle(order=AUTO)
    text = (leaky.root / "base/service.yaml").read_text()
    leaky.write({"base/service.yaml": text.replace(f", {{name: API_TOKEN, value: {CANARY}-API_TOKEN}}", "")})
    leaky.commit("one secret less")
    for _ in range(3):
        assert CANARY not in shown(leaky.run(AUTO))
        leaky.tick()
