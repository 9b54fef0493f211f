"""Two rules that swap their priorities: AWS takes that in one call only."""

from __future__ import annotations

from tests.e2e.stage import Stage, environment

BALANCER = """\
apiVersion: reconciler/v1
kind: LoadBalancer
metadata: {{name: shop}}
spec: {{subnets: [{0}, {1}]}}
---
apiVersion: reconciler/v1
kind: Listener
metadata: {{name: http}}
spec:
  loadBalancer: shop
  port: 80
  protocol: HTTP
  defaultActions: [{{type: fixed-response, fixedResponseConfig: {{statusCode: "404"}}}}]
"""
RULE = """\
---
apiVersion: reconciler/v1
kind: ListenerRule
metadata: {{name: {name}}}
spec:
  listener: http
  priority: {priority}
  conditions: [{{field: path-pattern, pathPatternConfig: {{values: ["/{name}/*"]}}}}]
  actions: [{{type: fixed-response, fixedResponseConfig: {{statusCode: "200"}}}}]
"""


def rules(stage: Stage, **priorities: int) -> None:
    text = "".join(RULE.format(name=name, priority=priority) for name, priority in priorities.items())
    stage.write(
        {
            "reconciler.yaml": "installation: acme\nenvironments: environments\n",
            "environments/test.yaml": environment("{mode: auto}"),
            "base/all.yaml": BALANCER.format(*stage.subnets) + text,
        }
    )
    stage.commit(f"priorities {priorities}")


def test_two_rules_swap_their_priorities_in_one_call(stage: Stage) -> None:
    rules(stage, one=10, two=20, three=30)
    stage.settle()
    rules(stage, one=20, two=30, three=10)
    before = stage.aws.count("elbv2:SetRulePriorities")
    report = stage.settle()
    assert stage.aws.count("elbv2:SetRulePriorities") - before == 1
    assert report.sync.value == "Synced"
    stage.assert_no_differences()
