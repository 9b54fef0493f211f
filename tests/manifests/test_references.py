"""References between manifests: every way to write one, and every way to get one wrong."""

from __future__ import annotations

import pytest

from reconciler.core.resource import Origin
from reconciler.core.values import Ref, ResourceId, Template

GROUP = "{port: 80, protocol: HTTP, vpcId: vpc-1}"
BASICS = """
apiVersion: reconciler/v1
kind: Cluster
metadata: {name: shop}
---
apiVersion: reconciler/v1
kind: TargetGroup
metadata: {name: web}
spec: {port: 80, protocol: HTTP, vpcId: vpc-1}
---
apiVersion: reconciler/v1
kind: TaskDefinition
metadata: {name: task}
spec: {containerDefinitions: [{name: app, image: a, memory: 64}]}
---
"""
SHARED = """
apiVersion: reconciler/v1
kind: Environment
metadata: {name: shared}
spec: {account: "123456789012", region: eu-west-1, layers: [shared]}
"""
TASK = ResourceId("TaskDefinition", "web")
WEB = Ref(ResourceId("TargetGroup", "web"), "arn")


@pytest.fixture
def service(repository, written):
    """A Service `web` with these members more, and what they refer to; returns the repository."""

    def make(members: str, extra: str = ""):
        repository.base(BASICS)
        return repository.base(written("Service", "web", f"{{desiredCount: 1, {members}}}", extra), "service.yaml")

    return make


def balancer(group: str) -> str:
    return f"taskDefinition: task, loadBalancers: [{{{group}, containerName: app, containerPort: 80}}]"


@pytest.mark.parametrize(
    "group",
    [
        "targetGroup: web",
        "targetGroup: {ref: TargetGroup/web}",
        "targetGroup: '${ref:TargetGroup/web}'",
        "targetGroup: '${var.group}'",
        "targetGroupArn: {ref: TargetGroup/web}",
        "targetGroupArn: {ref: TargetGroup/web, attribute: arn}",
        "targetGroupArn: {ref: 'TargetGroup/${var.group}', environment: production}",
        "targetGroupArn: '${ref:TargetGroup/web.arn}'",
        "targetGroupArn: '${ref:TargetGroup/web}'",
    ],
)
def test_one_reference_may_be_written_in_many_ways(service, group):
    repository = service(balancer(group))
    environment = repository.contents["environments/production.yaml"].decode()
    repository.write("environments/production.yaml", environment.replace("image_tag: 1.40", "group: web"))
    assert repository.spec("Service/web")["loadBalancers"][0]["targetGroupArn"] == WEB


def test_a_literal_arn_stays_literal_without_a_warning(service):
    repository = service(balancer("targetGroupArn: 'arn:aws:x'") + ", cluster: 'arn:aws:ecs:c'")
    assert repository.spec("Service/web")["loadBalancers"][0]["targetGroupArn"] == "arn:aws:x"
    assert repository.load().warnings == ()


def test_text_around_a_reference_makes_a_template(repository, written):
    variable = "{name: GROUP, value: 'x ${ref:TargetGroup/web.name}'}"
    spec = f"{{containerDefinitions: [{{name: app, image: a, memory: 64, environment: [{variable}]}}]}}"
    repository.base(BASICS + written("TaskDefinition", "web", spec))
    value = repository.spec("TaskDefinition/web")["containerDefinitions"][0]["environment"][0]["value"]
    assert value == Template(("x ", Ref(ResourceId("TargetGroup", "web"), "name")))


def test_a_label_named_ref_is_a_label(repository, written):
    spec = "{containerDefinitions: [{name: app, image: a, memory: 64, dockerLabels: {ref: main}}]}"
    repository.base(written("TaskDefinition", "web", spec))
    assert repository.spec("TaskDefinition/web")["containerDefinitions"][0]["dockerLabels"] == {"ref": "main"}


def test_a_native_name_is_the_manifests_if_there_is_one(service):
    assert service("taskDefinition: task, cluster: shop").spec("Service/web")["cluster"] == Ref(
        ResourceId("Cluster", "shop"), "name"
    )


def test_a_native_name_without_a_manifest_is_literal_and_a_warning_says_so(service):
    repository = service("taskDefinition: task, cluster: shpo")
    assert repository.spec("Service/web")["cluster"] == "shpo"
    (warning,) = repository.load().warnings
    assert warning == (
        "base/service.yaml:4: Service/web: spec.cluster: shpo is taken literally, "
        "for there is no manifest Cluster of that name: did you mean shop?"
    )


INLINE = "taskDefinition: {family: shop-web, containerDefinitions: [{name: app, image: a, memory: 64}]}"


def test_an_inline_task_definition_becomes_a_resource_of_its_own(service):
    desired = service(
        INLINE, "reconcile: {wave: 3, ignore: [desiredCount, taskDefinition.cpu], allowReplace: x}\n"
    ).load()
    task = desired.resources[TASK]
    web = desired.resources[ResourceId("Service", "web")]
    assert task.part_of == web.id
    assert task.spec["family"] == "shop-web"
    assert task.origins == (Origin("base/service.yaml", 1, 1),)
    assert (task.settings.wave, task.settings.ignore, task.settings.allow_replace) == (3, ("cpu",), None)
    assert web.spec["taskDefinition"] == Ref(TASK, "arn")
    assert web.embeds == {"TaskDefinition/web": task.digest}


def test_a_change_of_embedded_content_changes_the_digest_of_what_runs_it(service):
    before = service(INLINE).load().resources[ResourceId("Service", "web")].digest
    after = service(INLINE.replace("image: a", "image: b")).load().resources[ResourceId("Service", "web")].digest
    assert before != after


def test_an_inline_resource_with_the_name_of_a_manifest_is_refused(service, written):
    repository = service(INLINE)
    repository.base(
        written("TaskDefinition", "web", "{containerDefinitions: [{name: a, image: a, memory: 4}]}"), "t.yaml"
    )
    problem = repository.problem()
    assert (problem.path, problem.line, problem.field) == ("base/service.yaml", 4, "spec.taskDefinition")
    assert "this would be TaskDefinition/web, which base/t.yaml:1 is already" in problem.message


def test_mistakes_in_an_inline_resource_are_named_at_their_place(service):
    problem = service(INLINE.replace("image: a", "imgae: a")).problem()
    assert problem.field == "spec.taskDefinition.containerDefinitions[0].imgae"
    assert problem.message == "there is no field imgae: did you mean image?"


@pytest.mark.parametrize(
    ("group", "field", "message"),
    [
        ("targetGroup: wbe", "targetGroup", "there is no manifest TargetGroup/wbe: did you mean web?"),
        ("targetGroup: 3", "targetGroup", "the name of a TargetGroup manifest is wanted"),
        ("targetGroup: web, targetGroupArn: x", "targetGroup", "stands for targetGroupArn: only one of them"),
        (
            "targetGroupArn: {ref: TargetGroup/wbe}",
            "targetGroupArn",
            "there is no manifest TargetGroup/wbe: did you mean",
        ),
        (
            "targetGroupArn: {ref: TargetGrup/web}",
            "targetGroupArn",
            "there is no kind TargetGrup: did you mean TargetGroup?",
        ),
        ("targetGroupArn: {ref: web}", "targetGroupArn.ref", "'web' is not of the form Kind/name"),
        (
            "targetGroupArn: {ref: TargetGroup/web, attribute: url}",
            "targetGroupArn",
            "has no attribute url, only arn, name",
        ),
        ("targetGroupArn: {ref: TargetGroup/web, atribute: arn}", "targetGroupArn.atribute", "has no field atribute"),
        ("targetGroupArn: {ref: TargetGroup/web, environment: shred}", "targetGroupArn", "did you mean shared?"),
        ("targetGroupArn: {ref: [x]}", "targetGroupArn.ref", "text is wanted"),
        ("targetGroupArn: '${ref:TargetGroup/wbe.arn}'", "targetGroupArn", "there is no manifest TargetGroup/wbe"),
        ("targetGroupArn: '${ssm:/group}'", "targetGroupArn", "looking up SSM parameters is not available"),
    ],
)
def test_a_wrong_reference_is_one_problem_at_its_place(service, group, field, message):
    problem = service(balancer(group)).write("environments/shared.yaml", SHARED).problem()
    assert problem.field == f"spec.loadBalancers[0].{field}"
    assert message in problem.message


def test_another_environment_of_the_installation_may_be_named(service):
    repository = service(balancer("targetGroupArn: {ref: TargetGroup/any, environment: shared}"))
    repository.write("environments/shared.yaml", SHARED)
    group = repository.spec("Service/web")["loadBalancers"][0]["targetGroupArn"]
    assert group == Ref(ResourceId("TargetGroup", "any"), "arn", "shared")


def test_references_in_a_circle_are_printed_as_one(repository, written):
    spec = "{containerDefinitions: [{name: app, image: '${ref:TaskDefinition/%s.arn}', memory: 64}]}"
    repository.base("".join(written("TaskDefinition", a, spec % b) for a, b in ("ab", "bc", "ca")))
    problem = repository.problem()
    assert "TaskDefinition/a → TaskDefinition/b → TaskDefinition/c → TaskDefinition/a" in problem.message
    assert problem.field == "spec.containerDefinitions[0].image"


def test_a_reference_to_itself_is_refused(repository, written):
    spec = "{containerDefinitions: [{name: app, image: '${ref:TaskDefinition/a.arn}', memory: 64}]}"
    assert (
        repository.base(written("TaskDefinition", "a", spec)).problem().message == "TaskDefinition/a refers to itself"
    )


def test_a_long_chain_of_references_does_not_exhaust_the_stack(repository, written):
    spec = "{containerDefinitions: [{name: app, image: 'x${ref:TaskDefinition/t%d.arn}', memory: 64}]}"
    last = written("TaskDefinition", "t1500", "{containerDefinitions: [{name: app, image: a, memory: 64}]}")
    repository.base("".join(written("TaskDefinition", f"t{n}", spec % (n + 1)) for n in range(1500)) + last)
    assert len(repository.load().resources) == 1501


def test_a_wave_before_that_of_what_it_needs_is_refused(service):
    repository = service("taskDefinition: task, cluster: shop", "reconcile: {wave: -1}\n")
    fields = {problem.field: problem.message for problem in repository.problems()}
    assert "Service/web is in wave -1 and needs Cluster/shop, which is in the later wave 0" in fields["spec.cluster"]
    assert "spec.taskDefinition" in fields


def test_a_wave_before_that_of_an_implied_edge_is_refused(service, written):
    repository = service(balancer("targetGroup: web"))
    actions = "conditions: [{field: path-pattern, values: [/]}], actions: [{type: forward, targetGroup: web}]"
    rule = written("ListenerRule", "r", f"{{listenerArn: x, priority: 1, {actions}}}", "reconcile: {wave: 2}\n")
    problem = repository.base(rule, "rule.yaml").problem()
    assert "Service/web is in wave 0 and needs ListenerRule/r" in problem.message


def test_what_a_broken_file_may_hold_is_not_called_missing(service):
    repository = service(balancer("targetGroup: elsewhere"))
    repository.base("a: [\n", "broken.yaml")
    assert [problem.path for problem in repository.problems()] == ["base/broken.yaml"]


def test_variables_are_put_into_labels_and_settings_but_references_are_not(repository, written):
    repository.base(written("Cluster", "shop").replace("shop}", "shop, labels: {tag: '${var.image_tag}'}}")
                    .replace("spec:", "reconcile: {wave: '${var.replicas}'}\nspec:"))  # fmt: skip
    (cluster,) = repository.load().resources.values()
    assert (cluster.labels, cluster.settings.wave) == ({"tag": "1.40"}, 3)
    repository.base(written("Cluster", "shop").replace("shop}", "shop, labels: {tag: '${ref:Cluster/shop.arn}'}}"))
    assert "a reference cannot stand here" in repository.problem().message


def test_a_name_of_the_past_is_kept(repository):
    repository.base("apiVersion: reconciler/v1\nkind: Cluster\nmetadata: {name: shop, previousName: old}\n")
    assert repository.load().resources[ResourceId("Cluster", "shop")].previous_name == "old"


def test_resources_come_in_one_order_whatever_the_files_are_called(repository, written):
    names = ["b", "a", "c"]
    repository.base("".join(written("Cluster", name) for name in names))
    first = repository.load()
    repository.contents.pop("base/a.yaml")
    for index, name in enumerate(sorted(names)):
        repository.base(written("Cluster", name), f"{9 - index}.yaml")
    assert list(repository.load().resources) == list(first.resources) == sorted(first.resources)
    assert repository.load().digest == first.digest
