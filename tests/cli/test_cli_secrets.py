"""No command prints a secret: canaries stand wherever people put secrets, and appear in no output."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Said, Shell

CANARY = "hunter2canary"
TOKEN = f"ghp_{CANARY}0123456789"


@pytest.fixture
def leaky(shell: Shell) -> Shell:
    """The corner shop with secrets where they do not belong."""
    variables = ", ".join(
        [
            f'{{name: DB_PASSWORD, value: "{CANARY}-1"}}',
            f'{{name: DATABASE_URL, value: "postgres://shop:{CANARY}@db/shop"}}',
            f'{{name: GREETING, value: "{TOKEN}"}}',
            "{name: LOG_LEVEL, value: info}",
        ]
    )
    container = (
        f"        environment: [{variables}]\n"
        f'        command: [run, "--api-key={CANARY}", --password, {CANARY}, "export TOKEN={CANARY}; go"]\n'
        f"        dockerLabels: {{com.example.secret: {CANARY}, team: shop}}\n"
    )
    plain = "        environment: [{name: LOG_LEVEL, value: info}]\n"
    shell.stage.edit("base/service.yaml", (plain, container))
    header = f"{{field: http-header, httpHeaderConfig: {{httpHeaderName: X-Origin-Secret, values: [{CANARY}]}}}}"
    shell.stage.edit("base/web.yaml", ("conditions: [", f"conditions: [{header}, "))
    shell.stage.commit("secrets in the open")
    return shell


FORMS = ("table", "json", "yaml", "markdown")


def clean(said: Said) -> Said:
    assert CANARY not in said.out
    assert CANARY not in said.err
    return said


@pytest.mark.parametrize("form", FORMS)
def test_a_first_plan_shows_no_secret(leaky: Shell, form: str) -> None:
    assert clean(leaky("plan", "--verbose", "-o", form)).code == 2
    clean(leaky("sync", "--dry-run", "-v", "-o", form))


def test_nothing_that_is_made_or_changed_shows_a_secret_and_the_rest_stays_readable(leaky: Shell) -> None:
    clean(leaky("sync", "--wait", "-v"))
    for name in ("base/service.yaml", "base/web.yaml"):
        leaky.stage.edit(name, (CANARY, f"{CANARY}-new"))
    leaky.stage.edit("base/service.yaml", ("LOG_LEVEL, value: info", "LOG_LEVEL, value: debug"))
    leaky.stage.commit("other secrets")
    for form in FORMS:
        for command in (["plan", "-v"], ["status"], ["drift"]):
            clean(leaky(*command, "-o", form))
    plan = leaky("plan").out
    assert "environment[LOG_LEVEL].value  info → debug" in plan
    assert "environment[DB_PASSWORD].value  •••••• → ••••••" in plan
    clean(leaky("sync", "-v", "-o", "json"))


def test_drift_shows_no_secret(leaky: Shell) -> None:
    leaky.settled()
    ecs = leaky.stage.client("ecs")
    (service,) = ecs.describe_services(cluster="shop", services=["web"])["services"]
    found = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    kept = ("family", "networkMode", "containerDefinitions", "cpu", "memory", "requiresCompatibilities")
    changed = {name: found[name] for name in kept}
    for variable in changed["containerDefinitions"][0]["environment"]:
        if variable["name"] in ("DB_PASSWORD", "GREETING"):
            variable["value"] += f"{CANARY}byhand"
    changed["containerDefinitions"][0]["command"][3] = f"{CANARY}-by-hand"
    revision = ecs.register_task_definition(**changed)["taskDefinition"]["taskDefinitionArn"]
    ecs.update_service(cluster="shop", service="web", taskDefinition=revision)
    leaky.stage.tick(60)
    for form in FORMS:
        assert clean(leaky("drift", "-o", form)).code == 2


def test_renderings_and_mistakes_show_no_secret(leaky: Shell) -> None:
    clean(leaky("render"))
    clean(leaky("render", "-o", "json"))
    assert CANARY in leaky("render", "--reveal").out
    leaky.stage.edit("base/service.yaml", ("name: DB_PASSWORD, value: ", "name: DB_PASSWORD, valeu: "))
    for form in FORMS:
        assert clean(leaky("validate", "-o", form)).code == 1


def test_a_refusal_of_aws_shows_no_secret(leaky: Shell) -> None:
    leaky.stage.edit("base/service.yaml", ("subnets: [", "subnets: [subnet-00000000000000000, "))
    leaky.stage.commit("refused")
    assert clean(leaky("sync", "-o", "json")).code == 1


def test_the_password_of_a_repositorys_address_is_not_shown(shell: Shell) -> None:
    assert clean(shell("plan", "--repo", f"http://user:{CANARY}@127.0.0.1:9/x")).code == 1
    assert clean(shell("plan", "--repo", f"ftp://user:{CANARY}@example.com/x")).code == 1


DIGITS = "7314159265"


@pytest.mark.parametrize("form", ["table", "json"])
@pytest.mark.parametrize(
    "scalar",
    [
        *(DIGITS, "07314152", "0x7314159265", f"{DIGITS}.5", f"{DIGITS}_000", f"{DIGITS}:30", DIGITS * 3),
        *(f"*a{DIGITS}", f"!a{DIGITS}", f"${{var.{DIGITS}"),
    ],
)
@pytest.mark.parametrize(
    "container",
    [
        "environment: [{name: DB_PASSWORD, value: SCALAR}]",
        "environment: [{name: PLAIN, value: SCALAR}]",
        "command: [run, --password, SCALAR]",
        "logConfiguration: {logDriver: splunk, options: {splunk-token: SCALAR}}",
        "dockerLabels: {com.example.secret: SCALAR}",
    ],
)
def test_a_secret_that_yaml_reads_as_something_else_is_not_repeated(
    shell: Shell, form: str, scalar: str, container: str
) -> None:
    text = container.replace("SCALAR", f'"{scalar}"' if scalar.startswith("$") else scalar)
    plain = "        environment: [{name: LOG_LEVEL, value: info}]\n"
    shell.stage.edit("base/service.yaml", (plain, f"        {text}\n"))
    said = shell("validate", "-o", form)
    assert said.code == 1
    assert "base/service.yaml" in said.out + said.err
    assert "7314" not in said.out
    assert "7314" not in said.err


def test_a_variable_that_is_a_secret_is_not_repeated_where_it_does_not_fit(shell: Shell) -> None:
    shell.stage.edit("environments/test.yaml", ("spec:\n", f"spec:\n  variables: {{DB_PASSWORD: {CANARY}}}\n"))
    shell.stage.edit("base/service.yaml", ("desiredCount: 2", "desiredCount: ${var.DB_PASSWORD}"))
    said = clean(shell("validate"))
    assert said.code == 1
    assert "the variable DB_PASSWORD is text, and a whole number is wanted here" in said.err
