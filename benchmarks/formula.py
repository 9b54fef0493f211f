"""The least number of calls that AWS's batch limits allow for a plan that sees everything it compares.

For N services behind B = ⌈N/100⌉ load balancers with one listener each, in C clusters (⌈N/5000⌉), n of the N in each:

| operation                     | least calls       | because                                          |
|-------------------------------|-------------------|--------------------------------------------------|
| GetCallerIdentity             | 1                 | the right account, before the first read         |
| ListClusters                  | ⌈C/100⌉           | 100 a page                                       |
| DescribeClusters              | ⌈C/100⌉           | 100 a call                                       |
| ListServices                  | Σ ⌈n/100⌉         | 100 a page, one cluster a call                   |
| DescribeServices              | Σ ⌈n/10⌉          | 10 a call, one cluster a call                    |
| DescribeScalableTargets       | ⌈N/50⌉            | 50 ids a call                                    |
| DescribeLoadBalancers         | ⌈B/400⌉           | 400 a page                                       |
| DescribeLoadBalancerAttributes| B                 | one a call                                       |
| DescribeListeners             | B                 | one load balancer a call                         |
| DescribeRules                 | Σ ⌈(r+1)/400⌉     | one listener with r rules and its default a call |
| DescribeTargetGroups          | ⌈N/400⌉           | 400 a page                                       |
| DescribeTags (elbv2)          | ⌈(2B + 2N)/20⌉    | 20 ARNs a call, whatever they are of             |

These are read in every plan (*warm*). What has no batch form and changes least is read less often, and only a plan with
an empty cache (*cold*) pays for all of it:

| operation                     | calls | read again                                                              |
|-------------------------------|-------|-------------------------------------------------------------------------|
| DescribeTargetGroupAttributes | N     | after an hour, or when what is remembered does not fit what is declared |
| DescribeListenerAttributes    | B     | likewise                                                                |
| DescribeListenerCertificates  | B     | likewise                                                                |
| DescribeTaskDefinition        | N     | never: a revision's content does not change                             |
"""

from __future__ import annotations

from benchmarks.generate import SERVICES_PER_BALANCER, SERVICES_PER_CLUSTER, Fleet


def least_calls(fleet: Fleet, *, cold: bool) -> dict[str, int]:
    """The least calls by `service:Operation`; `cold` with an empty cache."""
    services, balancers, clusters = fleet.services, fleet.balancers, fleet.clusters
    in_cluster = _shares(services, SERVICES_PER_CLUSTER)
    rules = _shares(services, SERVICES_PER_BALANCER)
    least = {
        "sts:GetCallerIdentity": 1,
        "ecs:ListClusters": _up(clusters, 100),
        "ecs:DescribeClusters": _up(clusters, 100),
        "ecs:ListServices": sum(_up(count, 100) for count in in_cluster),
        "ecs:DescribeServices": sum(_up(count, 10) for count in in_cluster),
        "application-autoscaling:DescribeScalableTargets": _up(services, 50),
        "elbv2:DescribeLoadBalancers": _up(balancers, 400),
        "elbv2:DescribeLoadBalancerAttributes": balancers,
        "elbv2:DescribeListeners": balancers,
        "elbv2:DescribeRules": sum(_up(count + 1, 400) for count in rules),
        "elbv2:DescribeTargetGroups": _up(services, 400),
        "elbv2:DescribeTags": _up(2 * balancers + 2 * services, 20),
    }
    if cold:
        least |= {
            "elbv2:DescribeTargetGroupAttributes": services,
            "elbv2:DescribeListenerAttributes": balancers,
            "elbv2:DescribeListenerCertificates": balancers,
            "ecs:DescribeTaskDefinition": services,
        }
    return least


def _up(count: int, size: int) -> int:
    return -(-count // size)


def _shares(count: int, size: int) -> list[int]:
    """How many of `count` are in each group of at most `size`, when the groups are filled one after the other."""
    return [min(size, count - start) for start in range(0, count, size)]
