"""Reading through the gate, over real HTTP."""

import threading
from datetime import UTC, datetime

import pytest

from reconciler.core.call import Call
from reconciler.core.errors import AccessDeniedError, NotFoundError, UnavailableError, WrongAccountError
from tests.aws.conftest import ACCOUNT, Reply, answer, error, xml

CLUSTERS = Call("ecs", "DescribeClusters", {"clusters": ["shop"]})


def test_the_account_is_asked_for_before_the_first_read_and_only_once(aws, gate):
    aws.on("DescribeClusters", answer(clusters=[]))
    gate.read(CLUSTERS)
    gate.read(CLUSTERS)
    assert [request.operation for request in aws.requests] == [
        "GetCallerIdentity",
        "DescribeClusters",
        "DescribeClusters",
    ]


def test_credentials_of_another_account_stop_before_the_first_read(aws, make_gate):
    with pytest.raises(WrongAccountError, match=r"belong to account 123456789012.*is in 999999999999.*spec\.account"):
        make_gate(account="999999999999").read(CLUSTERS)
    assert aws.operations() == []


def test_without_an_expected_account_the_gate_takes_that_of_the_credentials(make_gate):
    assert make_gate(account=None).account == ACCOUNT


def test_now_is_the_time_of_aws_and_moves_with_the_clock(gate, virtual):
    gate.verify_account()
    assert gate.now() == datetime(2026, 1, 2, 4, 4, 5, tzinfo=UTC)
    virtual.sleep(60)
    assert gate.now() == datetime(2026, 1, 2, 4, 5, 5, tzinfo=UTC)


def test_without_a_readable_date_now_is_the_local_clock(aws, gate, virtual):
    aws.date = "yesterday"
    gate.verify_account()
    assert gate.now() == virtual.now


def test_answers_of_a_query_api_are_in_lower_camel_case_with_aware_times(aws, gate):
    aws.on(
        "DescribeLoadBalancers",
        xml(
            "DescribeLoadBalancers",
            "<LoadBalancers><member><DNSName>a.example</DNSName><CreatedTime>2024-05-06T07:08:09.120Z</CreatedTime>"
            "<LoadBalancerArn>arn:lb</LoadBalancerArn></member></LoadBalancers>",
        ),
    )
    assert gate.read(Call("elbv2", "DescribeLoadBalancers", {"names": ["a"]})) == {
        "loadBalancers": [
            {
                "dnsName": "a.example",
                "createdTime": datetime(2024, 5, 6, 7, 8, 9, 120000, tzinfo=UTC),
                "loadBalancerArn": "arn:lb",
            }
        ]
    }
    assert aws.requests[-1].params["Names.member.1"] == "a"


def test_the_user_agent_names_the_program_and_the_pass(aws, gate, session):
    aws.on("DescribeClusters", answer(clusters=[]))
    session.pass_id = "p-7"
    gate.read(CLUSTERS)
    agent = aws.requests[-1].headers["User-Agent"]
    assert "reconciler/" in agent
    assert agent.endswith(" pass/p-7")


@pytest.mark.parametrize(
    "fault",
    [
        error("ThrottlingException", "Rate exceeded"),
        error("ServerException", status=500),
        Reply(b"<html>Bad Gateway</html>", 502),
        Reply(drop=True),
        Reply(b'{"clusters": [', cut=True),
        Reply(b"<html>sign in to this network</html>"),
        Reply(b""),
    ],
    ids=["throttled", "5xx", "html", "dropped", "cut short", "captive portal", "empty"],
)
def test_a_read_is_made_again_after_a_passing_fault(aws, gate, fault):
    aws.on("DescribeClusters", fault, answer(clusters=[{"clusterName": "shop"}]))
    assert gate.read(CLUSTERS) == {"clusters": [{"clusterName": "shop"}]}
    assert gate.counts["ecs:DescribeClusters"] == 2


def test_a_read_that_is_always_cut_short_is_an_error_and_never_an_empty_answer(aws, gate):
    aws.on("DescribeClusters", Reply(b'{"clusters": [', cut=True))
    with pytest.raises(UnavailableError, match="not whole"):
        gate.read(CLUSTERS)
    assert gate.counts["ecs:DescribeClusters"] == 4


def test_html_for_an_xml_api_is_an_error_and_never_an_empty_answer(aws, gate):
    aws.on("DescribeLoadBalancers", Reply(b"<html><body>hello</body></html>"))
    with pytest.raises(UnavailableError, match="not AWS's"):
        gate.read(Call("elbv2", "DescribeLoadBalancers"))


def test_a_refused_read_is_made_once(aws, gate):
    aws.on("DescribeClusters", error("AccessDeniedException", "not you"))
    with pytest.raises(AccessDeniedError, match="iam-policy"):
        gate.read(CLUSTERS)
    assert aws.operations() == ["DescribeClusters"]


def test_many_reads_come_back_in_the_order_of_the_calls(aws, gate):
    aws.on(
        "DescribeTaskDefinition", by=lambda request: answer(taskDefinition={"family": request.params["taskDefinition"]})
    )
    calls = [Call("ecs", "DescribeTaskDefinition", {"taskDefinition": f"t{number}"}) for number in range(20)]
    families = [found["taskDefinition"]["family"] for found in gate.read_many(calls)]
    assert families == [f"t{number}" for number in range(20)]


def test_many_reads_run_side_by_side(aws, make_gate):
    meeting = threading.Barrier(4, timeout=20)

    def meet(request):
        meeting.wait()
        return answer(taskDefinition={})

    aws.on("DescribeTaskDefinition", by=meet)
    calls = [Call("ecs", "DescribeTaskDefinition", {"taskDefinition": str(number)}) for number in range(4)]
    assert len(make_gate(workers=4).read_many(calls)) == 4


def test_of_several_failures_the_first_by_order_is_raised_after_all_were_made(aws, gate):
    def reply(request):
        name = request.params["taskDefinition"]
        return answer(taskDefinition={}) if name == "good" else error("ClientException", f"bad {name}")

    aws.on("DescribeTaskDefinition", by=reply)
    names = ["good", "one", "two", "good"]
    with pytest.raises(Exception, match="bad one"):
        gate.read_many([Call("ecs", "DescribeTaskDefinition", {"taskDefinition": name}) for name in names])
    assert len(aws.operations()) == 4


def test_all_pages_of_a_list_are_read_with_the_largest_page(aws, gate):
    pages = {None: (["a", "b"], "t1"), "t1": (["c"], "t2"), "t2": (["d"], None)}

    def reply(request):
        arns, following = pages[request.params.get("nextToken")]
        return answer(serviceArns=arns, **({"nextToken": following} if following else {}))

    aws.on("ListServices", by=reply)
    assert gate.pages(Call("ecs", "ListServices", {"cluster": "shop"}), "serviceArns") == ["a", "b", "c", "d"]
    assert [request.params["maxResults"] for request in aws.requests[1:]] == [100, 100, 100]


def test_pages_of_a_query_api_follow_its_markers(aws, gate):
    aws.on(
        "DescribeRules",
        xml("DescribeRules", "<Rules><member><Priority>1</Priority></member></Rules><NextMarker>m</NextMarker>"),
        xml("DescribeRules", "<Rules><member><Priority>2</Priority></member></Rules>"),
    )
    found = gate.pages(Call("elbv2", "DescribeRules", {"listenerArn": "arn"}), "rules")
    assert [rule["priority"] for rule in found] == ["1", "2"]
    assert aws.requests[-1].params["Marker"] == "m"


def test_pages_that_never_end_are_an_error(aws, gate):
    aws.on("ListServices", answer(serviceArns=["a"], nextToken="again"))
    with pytest.raises(UnavailableError, match="same page for ever"):
        gate.pages(Call("ecs", "ListServices"), "serviceArns")


def test_a_list_whose_second_page_fails_is_no_list(aws, gate):
    aws.on("ListServices", answer(serviceArns=["a"], nextToken="t"), error("ClusterNotFoundException"))
    with pytest.raises(NotFoundError):
        gate.pages(Call("ecs", "ListServices"), "serviceArns")


def test_an_operation_without_pages_gives_its_list(aws, gate):
    aws.on("DescribeClusters", answer(clusters=[{"clusterName": "shop"}]))
    assert gate.pages(CLUSTERS, "clusters") == [{"clusterName": "shop"}]


SERVICE = {
    "serviceName": "web",
    "createdAt": 1700000000,
    "events": [{"id": "e", "createdAt": 1700000000, "message": 'steady "state" ]}'}],
    "deployments": [{"id": "d", "createdAt": 1700000000}],
}


def test_services_come_without_their_events(aws, gate):
    aws.on("DescribeServices", answer(services=[SERVICE, SERVICE], failures=[]))
    found = gate.read(Call("ecs", "DescribeServices", {"services": ["web"]}))
    moment = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    lean = {"serviceName": "web", "createdAt": moment, "deployments": [{"id": "d", "createdAt": moment}]}
    assert found == {"services": [lean, lean], "failures": []}


def test_the_events_of_one_service_can_be_asked_for(aws, gate):
    aws.on("DescribeServices", answer(services=[SERVICE], failures=[]))
    assert [event["message"] for event in gate.service_events("shop", "web")] == ['steady "state" ]}']
    assert "events" not in gate.read(Call("ecs", "DescribeServices", {"services": ["web"]}))["services"][0]


def test_every_attempt_is_traced(aws, gate, trace):
    aws.on("DescribeClusters", error("ThrottlingException"), answer(clusters=[]))
    gate.read(CLUSTERS)
    assert [(r.name, r.kind.value, r.attempt, r.outcome.value, r.request_id, r.error_code) for r in trace[1:]] == [
        ("ecs:DescribeClusters", "read", 1, "error", "r-1", "ThrottlingException"),
        ("ecs:DescribeClusters", "read", 2, "ok", "r-1", ""),
    ]


def test_a_gate_ends_its_threads_when_it_is_left(aws, make_gate):
    before = set(threading.enumerate())
    aws.on("DescribeClusters", answer(clusters=[]))
    with make_gate(workers=3) as gate:
        gate.read_many([CLUSTERS] * 6)
        assert any(thread.name.startswith("aws") for thread in threading.enumerate())
    assert not any(thread.name.startswith("aws") for thread in set(threading.enumerate()) - before)


def test_an_answer_of_services_that_only_looks_like_json_is_no_answer(aws, gate):
    aws.on("DescribeServices", Reply(b'{"services": [}'))
    with pytest.raises(UnavailableError, match="not whole"):
        gate.read(Call("ecs", "DescribeServices", {"services": ["web"]}))
