"""The corner shop: the smallest environment that has every kind, for suites that are run at many points.

One Fargate service `web` of two tasks behind a load balancer. Files: `base/edge.yaml` (cluster, load balancer,
listener), `base/web.yaml` (target group, rule), `base/service.yaml`.
"""

from __future__ import annotations

from tests.e2e.stage import Stage, environment

EDGE = """\
apiVersion: reconciler/v1
kind: Cluster
metadata: {name: shop}
spec: {}
---
apiVersion: reconciler/v1
kind: LoadBalancer
metadata: {name: shop}
spec: {subnets: [SUBNETS]}
---
apiVersion: reconciler/v1
kind: Listener
metadata: {name: http}
spec:
  loadBalancer: shop
  port: 80
  protocol: HTTP
  defaultActions: [{type: fixed-response, fixedResponseConfig: {statusCode: "404"}}]
"""

WEB = """\
apiVersion: reconciler/v1
kind: TargetGroup
metadata: {name: web}
spec: {protocol: HTTP, port: 80, vpcId: VPC, targetType: ip, healthCheckIntervalSeconds: 10, healthyThresholdCount: 2}
---
apiVersion: reconciler/v1
kind: ListenerRule
metadata: {name: web}
spec:
  listener: http
  priority: 10
  conditions: [{field: path-pattern, pathPatternConfig: {values: ["/*"]}}]
  actions: [{type: forward, targetGroup: web}]
"""

SERVICE = """\
apiVersion: reconciler/v1
kind: Service
metadata: {name: web}
spec:
  cluster: shop
  desiredCount: 2
  launchType: FARGATE
  networkConfiguration: {awsvpcConfiguration: {subnets: [SUBNETS]}}
  deploymentConfiguration: {deploymentCircuitBreaker: {enable: true, rollback: true}}
  taskDefinition:
    cpu: "256"
    memory: "512"
    networkMode: awsvpc
    requiresCompatibilities: [FARGATE]
    containerDefinitions:
      - name: app
        image: registry.example/web:1
        portMappings: [{containerPort: 8080}]
        environment: [{name: LOG_LEVEL, value: info}]
  loadBalancers: [{targetGroup: web, containerName: app, containerPort: 8080}]
"""


def corner(stage: Stage) -> dict[str, str]:
    """The files of the corner shop in the emulated network."""
    files = {"base/edge.yaml": EDGE, "base/web.yaml": WEB, "base/service.yaml": SERVICE}
    network = {"SUBNETS": ", ".join(stage.subnets), "VPC": stage.vpc}
    for name, text in files.items():
        for word, value in network.items():
            text = text.replace(word, value)  # noqa: PLW2901  # folded over the words
        files[name] = text
    return files | {
        "reconciler.yaml": "installation: acme\nenvironments: environments\n",
        "environments/test.yaml": environment(),
    }
