"""What the schemas and the kinds say of a spec: in words, at its line, everything at once."""

from __future__ import annotations

import pytest

from reconciler.core.values import ResourceId

TASK = """
apiVersion: reconciler/v1
kind: TaskDefinition
metadata: {name: web}
spec:
  containerDefinitions:
    - name: app
      image: a
      memory: 64
      environment: [{name: MODE, value: fast}]
      portMappings: [{containerPort: 80}]
"""


def task(change: str, value: str) -> str:
    assert change in TASK
    return TASK.replace(change, value)


@pytest.mark.parametrize(
    ("change", "value", "place", "message"),
    [
        ("image: a", "image: no", "7:14", 'text is wanted, and YAML reads no as false: write "no" in quotes'),
        (
            "image: a",
            "image: 1.20",
            "7:14",
            'text is wanted, and YAML reads 1.20 as the number 1.2: write "1.20" in quotes',
        ),
        ("image: a", "image: 12", "7:14", 'text is wanted, and YAML reads 12 as a number: write "12" in quotes'),
        (
            "image: a",
            "image: 0755",
            "7:14",
            'YAML reads 0755 as an octal number: write "0755" in quotes, or a plain number',
        ),
        (
            "value: fast",
            "value: 12",
            "9:41",
            "text is wanted, and YAML reads this as something else: write it in quotes",
        ),
        ("value: fast", "value: 0755", "9:41", "YAML reads this as a number of another form than it is written in"),
        ("value: fast", "value: {a: b}", "9:41", "text is wanted, and this is a map"),
        (
            "memory: 64",
            "memory: 1e3",
            "8:15",
            "a whole number is wanted, and this is '1e3', and YAML reads 1e3 as text: write 1000",
        ),
        ("memory: 64", 'memory: "64"', "8:15", "a whole number is wanted, and this is '64': write 64 without quotes"),
        ("memory: 64", "memory: 64.0", "8:15", "a whole number is wanted, and this is 64.0"),
        ("memory: 64", "memory: yes", "8:15", "a whole number is wanted, and this is true"),
        (
            "memory: 64",
            "memory: ${var.image_tag}",
            "8:15",
            "the variable image_tag is '1.40', and a whole number is wanted here",
        ),
        ("image: a", "Image: a", "7:7", "there is no field Image: write image"),
        ("image: a", "imgae: a", "7:7", "there is no field imgae: did you mean image?"),
        ("name: app\n", "name: [app]\n", "6:13", "text is wanted, and this is a list"),
        (
            "portMappings: [",
            "portMappings: [{containerPort: 80, protocol: TCP}, ",
            "10:52",
            "TCP is not one of tcp, udp: did you mean tcp?",
        ),
        (
            "environment: [{name: MODE, value: fast}]",
            "environment: {MODE: fast}",
            "9:20",
            "a list is wanted, and this is a map",
        ),
        ("spec:\n", "spec:\n  taskDefinitionArn: x\n", "5:3", "taskDefinitionArn is output-only"),
        ("spec:\n", "spec:\n  TaskDefinitionArn: x\n", "5:3", "taskDefinitionArn is output-only"),
        ("spec:\n", "spec:\n  revision: 3\n", "5:3", "AWS fills it in, nobody can set it. Remove it"),
        (
            "spec:\n",
            "spec:\n  networkMode: Bridge\n",
            "5:16",
            "Bridge is not one of bridge, host, awsvpc, none: did you mean bridge?",
        ),
        (
            "spec:\n",
            "spec:\n  tags: [{key: 'reconciler:hold', value: x}]\n",
            "5:16",
            "tags that begin with reconciler:",
        ),
        (
            "metadata: {name: web}",
            "metadata: {name: web, lables: {}}",
            "3:23",
            "there is no field lables: did you mean labels?",
        ),
        (
            "metadata: {name: web}",
            "metadata: {name: web, labels: {a: on}}",
            "3:35",
            'YAML reads on as true: write "on" in quotes',
        ),
        ("spec:\n", "reconcile: {timeout: -5m}\nspec:\n", "4:22", "a duration is written 90s, 15m"),
        ("spec:\n", "reconcile: {timeout: 0s}\nspec:\n", "4:22", "a timeout must be longer than nothing"),
        ("spec:\n", "reconcile: {waev: 1}\nspec:\n", "4:13", "there is no field waev: did you mean wave?"),
        (
            "spec:\n",
            "reconcile: {ignore: ['containerDefinitions[app].imgae']}\nspec:\n",
            "4:22",
            "there is no field imgae in containerDefinitions[app].imgae: did you mean image?",
        ),
        ("spec:\n", "Spec: {}\nspec:\n", "4:1", "there is no field Spec: write spec"),
    ],
)
def test_a_mistake_is_one_problem_at_its_line_and_column(repository, change, value, place, message):
    problem = repository.base(task(change, value)).problem()
    assert f"{problem.line}:{problem.column}" == place
    assert message in problem.message


def test_what_is_missing_is_named_at_the_map_that_lacks_it(repository, written):
    repository.base(written("ListenerRule", "r", "{priority: 1}"))
    problems = repository.problems()
    assert [problem.message for problem in problems] == [
        "actions is missing",
        "conditions is missing",
        "listenerArn is missing",
    ]
    assert {(problem.line, problem.field) for problem in problems} == {(4, "spec")}


def test_the_name_field_may_be_left_out_because_the_manifest_has_a_name(repository, written):
    repository.base(written("TargetGroup", "web", "{port: 80, protocol: HTTP, vpcId: vpc-1}"))
    assert "name" not in repository.spec("TargetGroup/web")


def test_what_a_kind_says_itself_is_placed_too(repository):
    names = TASK + "    - {name: app, image: b, memory: 4}\n"
    problem = repository.base(names).problem()
    assert (problem.line, problem.field) == (11, "spec.containerDefinitions[1].name")
    assert problem.message == "there are two containers named 'app'"


def test_limits_that_a_kind_adds_hold(repository):
    more = "".join(f"    - {{name: c{n}, image: a, memory: 4}}\n" for n in range(10))
    assert repository.base(TASK + more).problem().message == "the list has 11 members: at most 10"


def test_the_mistakes_of_every_file_come_in_one_go_sorted_by_place(repository):
    repository.base(task("memory: 64", "memory: x"))
    repository.overlay("a: [\n").base("apiVersion: reconciler/v1\nkind: Clutser\nmetadata: {name: x}\n", "c.yaml")
    problems = repository.problems()
    assert [problem.path for problem in problems] == ["base/a.yaml", "base/c.yaml", "overlays/production/a.yaml"]


def test_a_spec_that_is_no_map_is_refused(repository):
    repository.base("apiVersion: reconciler/v1\nkind: Cluster\nmetadata: {name: a}\nspec: [1]\n")
    assert repository.problem().message == "a map is wanted: the fields of the resource"


def test_a_cluster_needs_no_spec_at_all(repository):
    repository.base("apiVersion: reconciler/v1\nkind: Cluster\nmetadata: {name: a}\n")
    assert repository.load().resources[ResourceId("Cluster", "a")].spec == {}


def test_long_text_in_the_wrong_place_is_not_repeated_in_the_message(repository):
    secret = "hunter2-hunter2-hunter2"
    problem = repository.base(task("environment: [{name: MODE, value: fast}]", f"environment: {secret}")).problem()
    assert secret not in problem.message


@pytest.mark.parametrize("path", ["containerDefinitions[].image", "containerDefinitions[app].dockerLabels.any", "cpu"])
def test_the_path_of_a_field_may_be_ignored(repository, path):
    repository.base(task("spec:\n", f"reconcile: {{ignore: ['{path}']}}\nspec:\n"))
    assert repository.load().resources[ResourceId("TaskDefinition", "web")].settings.ignore == (path,)


def test_the_value_of_a_field_that_holds_secrets_is_in_no_message(repository, written):
    oidc = (
        "{issuer: a, authorizationEndpoint: b, tokenEndpoint: c, userInfoEndpoint: d, clientId: e, clientSecret: 12345}"
    )
    action = f"{{type: authenticate-oidc, order: 1, authenticateOidcConfig: {oidc}}}"
    rule = "listenerArn: x, priority: 1, conditions: [{field: path-pattern, values: [/]}]"
    repository.base(
        written("ListenerRule", "r", f"{{{rule}, actions: [{action}, {{type: forward, targetGroupArn: y}}]}}")
    )
    assert "12345" not in "".join(problem.message for problem in repository.problems())


def test_a_variable_takes_the_type_that_its_place_wants(repository):
    text = task("memory: 64", "memory: ${var.replicas}").replace("value: fast", "value: '${var.replicas}'")
    container = repository.base(text).spec("TaskDefinition/web")["containerDefinitions"][0]
    assert container["memory"] == 3
    assert container["environment"][0]["value"] == "3"


def test_the_spelling_of_a_variable_survives_in_text(repository):
    container = repository.base(task("image: a", "image: web:${var.image_tag}")).spec("TaskDefinition/web")
    assert container["containerDefinitions"][0]["image"] == "web:1.40"


def test_what_is_not_ours_in_text_stays(repository):
    text = task("value: fast", "value: '${HOME} $${var.x} $(id)'")
    container = repository.base(text).spec("TaskDefinition/web")["containerDefinitions"][0]
    assert container["environment"][0]["value"] == "${HOME} ${var.x} $(id)"
