"""The load balancers of the benchmark's fleet, their listeners, rules and target groups, as AWS describes them.

The other half of `benchmarks.live`, with AWS's own spelling and order of members: `answers` makes XML of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from benchmarks.generate import REGION, SERVICES_PER_BALANCER
from benchmarks.live import LiveFleet, hexadecimal
from reconciler.core.values import ResourceId, Spec
from reconciler.kinds import listener, load_balancer, target_group

_BALANCER: Final = (
    "deletion_", "access_", "connection_", "health_", "zonal_", "idle_", "client_", "routing.", "waf.", "load_",
)  # fmt: skip
_GROUP: Final = ("deregistration_delay.t", "stickiness.", "load_", "slow_", "target_group_health.")
"""The attributes of an application load balancer and of what stands behind one, by how their names begin."""


@dataclass
class LiveBalancing:
    """What Elastic Load Balancing answers of a fleet, object by object."""

    live: LiveFleet

    def load_balancer(self, identity: ResourceId) -> Spec:
        spec, name = self.live.spec(identity), identity.name
        zones = [
            {"ZoneName": f"{REGION}{'abc'[n]}", "SubnetId": subnet, "LoadBalancerAddresses": []}
            for n, subnet in enumerate(spec["subnets"])
        ]
        return {
            "LoadBalancerArn": self.live.arns[identity],
            "DNSName": f"{name}-{int(hexadecimal(name, 8), 16)}.{REGION}.elb.amazonaws.com",
            "CanonicalHostedZoneId": "Z32O12XQLNTSW2",
            "CreatedTime": "2026-01-05T09:00:00.000000+00:00",
            "LoadBalancerName": name,
            "Scheme": spec["scheme"],
            "VpcId": self._vpc,
            "State": {"Code": "active"},
            "Type": "application",
            "AvailabilityZones": zones[::-1],
            "SecurityGroups": spec["securityGroups"],
            "IpAddressType": "ipv4",
        }

    @cached_property
    def _vpc(self) -> str:
        return str(self.live.spec(self.live.of_kind("TargetGroup")[0])["vpcId"])

    def listener(self, identity: ResourceId) -> Spec:
        spec = self.live.spec(identity)
        answer = spec["defaultActions"][0]["fixedResponseConfig"]
        return {
            "ListenerArn": self.live.arns[identity],
            "LoadBalancerArn": spec["loadBalancerArn"],
            "Port": spec["port"],
            "Protocol": spec["protocol"],
            "Certificates": [{"CertificateArn": spec["certificates"][0]["certificateArn"]}],
            "SslPolicy": spec["sslPolicy"],
            "DefaultActions": [
                {
                    "Type": "fixed-response",
                    "Order": 1,
                    "FixedResponseConfig": {
                        "MessageBody": answer["messageBody"],
                        "StatusCode": answer["statusCode"],
                        "ContentType": answer["contentType"],
                    },
                }
            ],
            "MutualAuthentication": {"Mode": "off"},
        }

    def certificates(self, identity: ResourceId) -> list[Spec]:
        listed = self.live.spec(identity)["certificates"]
        return [{"CertificateArn": item["certificateArn"], "IsDefault": True} for item in listed]

    def rule(self, identity: ResourceId) -> Spec:
        """A described rule, with both the short and the expanded forms."""
        spec = self.live.spec(identity)
        values = spec["conditions"][0]["pathPatternConfig"]["values"]
        arn = spec["actions"][0]["targetGroupArn"]
        return {
            "RuleArn": self.live.arns[identity],
            "Priority": str(spec["priority"]),
            "Conditions": [{"Field": "path-pattern", "Values": values, "PathPatternConfig": {"Values": values}}],
            "Actions": [
                {
                    "Type": "forward",
                    "TargetGroupArn": arn,
                    "Order": 1,
                    "ForwardConfig": {
                        "TargetGroups": [{"TargetGroupArn": arn, "Weight": 1}],
                        "TargetGroupStickinessConfig": {"Enabled": False},
                    },
                }
            ],
            "IsDefault": False,
            "Transforms": [],
        }

    def default_rule(self, identity: ResourceId) -> Spec:
        """The rule that AWS lists beside a listener's own."""
        arn = self.live.arns[identity].replace(":listener/", ":listener-rule/")
        return {
            "RuleArn": f"{arn}/{hexadecimal(arn)}",
            "Priority": "default",
            "Conditions": [],
            "Actions": self.listener(identity)["DefaultActions"],
            "IsDefault": True,
            "Transforms": [],
        }

    def target_group(self, identity: ResourceId) -> Spec:
        spec = self.live.spec(identity)
        number = int(identity.name.rpartition("-")[2])
        balancer = ResourceId("LoadBalancer", self.live.fleet.balancer(number - number % SERVICES_PER_BALANCER))
        return {
            "TargetGroupArn": self.live.arns[identity],
            "TargetGroupName": self.live.physical(identity),
            "Protocol": spec["protocol"],
            "Port": spec["port"],
            "VpcId": spec["vpcId"],
            "HealthCheckProtocol": "HTTP",
            "HealthCheckPort": "traffic-port",
            "HealthCheckEnabled": True,
            "HealthCheckIntervalSeconds": spec["healthCheckIntervalSeconds"],
            "HealthCheckTimeoutSeconds": 5,
            "HealthyThresholdCount": 5,
            "UnhealthyThresholdCount": 2,
            "HealthCheckPath": spec["healthCheckPath"],
            "Matcher": {"HttpCode": "200"},
            "LoadBalancerArns": [self.live.arns[balancer]],
            "TargetType": spec["targetType"],
            "ProtocolVersion": "HTTP1",
            "IpAddressType": "ipv4",
        }

    def attributes(self, identity: ResourceId) -> list[Spec]:
        """All attributes that such an object has: AWS's defaults, and what git declares over them."""
        spec = self.live.spec(identity)
        ours: tuple[str, ...]
        match identity.kind:
            case "LoadBalancer":
                defaults, ours = load_balancer.attribute_defaults(spec), _BALANCER
            case "TargetGroup":
                defaults, ours = target_group.attribute_defaults(spec), _GROUP
            case _:
                defaults, ours = listener.ALWAYS, ("routing.",)
        every = {key: value for key, value in defaults.items() if key.startswith(ours)}
        every |= {item["key"]: item["value"] for item in spec.get("attributes", [])}
        return [{"Key": key, "Value": value} for key, value in every.items()]
