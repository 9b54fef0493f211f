"""The manifests that the tour's merge adds: one more service, its target group, and a rule for its path."""

from __future__ import annotations

from typing import Final

PATH: Final = "/search/*"
SEARCH: Final = f"""\
# Finds things in the shop.
apiVersion: reconciler/v1
kind: TargetGroup
metadata: {{name: search}}
spec:
  protocol: HTTP
  port: 80
  vpcId: "${{var.vpc}}"
  targetType: instance
  healthCheckPath: /health
  healthCheckIntervalSeconds: 10
  healthyThresholdCount: 2
---
apiVersion: reconciler/v1
kind: ListenerRule
metadata: {{name: search}}
spec:
  listener: http
  priority: 120
  conditions:
    - {{field: path-pattern, pathPatternConfig: {{values: [{PATH}]}}}}
  actions:
    - {{type: forward, targetGroup: search}}
---
apiVersion: reconciler/v1
kind: Service
metadata: {{name: search, labels: {{team: search}}}}
spec:
  cluster: shop
  launchType: EC2
  desiredCount: 2
  healthCheckGracePeriodSeconds: 30
  deploymentConfiguration:
    minimumHealthyPercent: 100
    maximumPercent: 200
    deploymentCircuitBreaker: {{enable: true, rollback: true}}
  taskDefinition:
    networkMode: bridge
    containerDefinitions:
      - name: app
        image: "registry.example/shop/search:${{var.image_tag}}"
        cpu: 128
        memory: 256
        portMappings:
          - {{containerPort: 8080, hostPort: 0}}
  loadBalancers:
    - {{targetGroup: search, containerName: app, containerPort: 8080}}
"""
