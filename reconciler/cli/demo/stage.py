"""The stage of the tour: the emulated AWS, the repository, the controller that follows it, and virtual time.

Nothing of it is shared with the user's own work: state is kept in a temporary folder, and `nobody` has taken this
machine's AWS configuration away.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from reconciler.aws.gate import Gate
from reconciler.aws.session import connect
from reconciler.cli.context import Place, Workspace
from reconciler.cli.demo.failure import DemoFailure
from reconciler.cli.demo.glance import Glance, Snapshot
from reconciler.cli.demo.shop import ENVIRONMENT, Shop, refuse_content
from reconciler.cli.demo.tree import well
from reconciler.core.call import Call
from reconciler.core.plan import Action, Plan
from reconciler.core.policy import Intent
from reconciler.core.report import PassReport, ResourceStatus
from reconciler.core.resource import Desired
from reconciler.core.values import ResourceId
from reconciler.emulator.ecs.instances import add_instance
from reconciler.emulator.server import Emulator
from reconciler.engine.passes import Order
from reconciler.git import open_repository

ACCOUNT: Final = "123456789012"  # as examples/shop has it
REGION: Final = "eu-west-1"
HOSTS: Final = 3  # EC2 instances whose user data names the cluster
CONTROLLER: Final = "reconciler"  # the roles that the players assume
OPERATOR: Final = "operator"
VIEWER: Final = "viewer"
GLANCE_EVERY: Final = 0.2  # real seconds between two looks at AWS for the screen
PASS_EVERY: Final = 5.0  # virtual seconds between two passes while something moves


class Stage:
    """Everything that the tour plays on; `open_stage` makes one. `on_change` is called when there is news to show."""

    def __init__(self, emulator: Emulator, shop: Shop, work: Workspace, speed: float) -> None:
        """`speed`: virtual seconds for each real one; 0: as fast as it goes."""
        self.aws = emulator
        self.shop = shop
        self.work = work
        self.viewer = self.gate(VIEWER)
        self.glance = Glance(self.viewer)
        self.snapshot = Snapshot()
        self.report: PassReport | None = None  # of the last pass that could be made
        self.desired: Desired | None = None  # what git said then
        self.on_change: Callable[[], None] = lambda: None
        self.on_plan: Callable[[Plan], None] = lambda _plan: None
        self.on_action: Callable[[Action], None] = lambda _action: None
        work.on_plan = self._planned
        work.on_action = self._acting
        self.recorder: Callable[[Snapshot], object] | None = None  # sees AWS at each virtual second
        self.elapsed = 0.0  # virtual seconds since the curtain rose
        self.speed = speed
        self._glanced = -GLANCE_EVERY

    # ------------------------------------------------------------------------------------------------------- players

    def gate(self, role: str, session_name: str = "demo") -> Gate:
        """Return a gate to the emulated AWS for somebody in a role; it is closed with the stage."""
        gate = Gate(
            connect(REGION, endpoint_url=self.aws.url, role_arn=role_arn(role), session_name=session_name),
            account=ACCOUNT,
            clock=self.aws.world.now,
            sleep=self.aws.tick,
        )
        self.work.closing(gate.close)
        return gate

    def writes(self, since: int = 0) -> list[str]:
        """The mutating calls that the controller has made, from the call number `since` on, as `service:Operation`."""
        ours = f":assumed-role/{CONTROLLER}/"
        return [call.name for call in self.aws.calls[since:] if call.mutating and ours in call.principal]

    # -------------------------------------------------------------------------------------------------------- passes

    def look(self) -> PassReport:
        """A pass that writes nothing. Raises InvalidManifestsError."""
        return self._pass(write=False)

    def run(self) -> PassReport:
        """A pass as the environment's policy says. Raises InvalidManifestsError."""
        return self._pass(write=True)

    def _pass(self, *, write: bool) -> PassReport:
        order = Order(intent=Intent.AUTO, write=write, denied=self.work.denied())
        desired = self.work.desired()
        self.report, self.desired = self.work.engine.run(desired, order), desired
        self.refresh()
        return self.report

    def _planned(self, plan: Plan) -> None:
        self.on_plan(plan)

    def _acting(self, action: Action) -> None:
        self.on_action(action)

    def settle(self, seconds: float) -> PassReport:
        """Passes, as time goes by, until nothing moves any more. Raises DemoFailure after `seconds` of virtual time."""
        until = self.elapsed + seconds
        while True:
            report = self.run()
            if report.settled:
                return report
            if self.elapsed >= until:
                raise DemoFailure(f"nothing has come to rest within {seconds:.0f} virtual seconds: {_unrest(report)}")
            self.flow(PASS_EVERY)

    # ---------------------------------------------------------------------------------------------------------- time

    def flow(self, seconds: float) -> None:
        """Let virtual time pass, a second at a time, and show what it brings."""
        for _ in range(round(seconds)):
            began = time.monotonic()
            self.aws.tick()
            self.elapsed += 1
            if self.recorder or (self.speed and began - self._glanced >= GLANCE_EVERY):
                self.refresh()
            if self.recorder:
                self.recorder(self.snapshot)
            if self.speed:
                time.sleep(max(0.0, 1 / self.speed - (time.monotonic() - began)))
        self.refresh()

    def refresh(self) -> None:
        """Look at AWS, and tell the screen."""
        self.snapshot = self.glance.now(self.groups())
        for cluster, count in self.snapshot.instances.items():
            if not count:
                for _ in range(HOSTS):
                    add_instance(cluster, ACCOUNT, REGION)
        self._glanced = time.monotonic()
        self.on_change()

    def groups(self) -> Mapping[ResourceId, str]:
        """The ARN of each target group, as the last pass found it."""
        statuses = self.report.statuses if self.report else {}
        return {
            identity: item.arn for identity, item in statuses.items() if identity.kind == "TargetGroup" and item.arn
        }


def _unrest(report: PassReport) -> str:
    found = [f"{failure.action}: {failure.message}" for failure in report.failures]
    found += [said(status) for status in report.statuses.values() if not well(status)]
    return "; ".join(found) or f"the environment is {report.sync.value}"


def said(status: ResourceStatus) -> str:
    """One resource's state, and why, for the message of a failure."""
    why = status.message or status.health.reason
    return f"{status.id} is {status.sync.value} and {status.health.state.value}{f' ({why})' if why else ''}"


def role_arn(role: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{role}"


@contextmanager
def open_stage(directory: Path | None, port: int, speed: float) -> Iterator[Stage]:
    """Set the stage, and clear it away: all but a `directory` that was named for the repository."""
    if directory:
        refuse_content(directory)
    with ExitStack() as closing:
        folder = Path(tempfile.mkdtemp(prefix="reconciler-demo-"))
        closing.callback(shutil.rmtree, folder, ignore_errors=True)
        emulator = _emulator(port)
        closing.callback(emulator.stop)
        shop = Shop.make(directory or folder / "shop", _network(emulator))
        state = folder / "state"
        state.mkdir()
        repository = open_repository(str(shop.folder), state / "git")
        closing.callback(repository.close)
        place = Place(str(shop.folder), ENVIRONMENT, role=role_arn(CONTROLLER), endpoint=emulator.url)
        work = Workspace(place, repository, state, clock=emulator.world.now, sleep=emulator.tick)
        closing.callback(work.close)
        yield Stage(emulator, shop, work, speed)


def _emulator(port: int) -> Emulator:
    """A running one. Raises DemoFailure when the port cannot be had."""
    try:
        return Emulator(port=port, account=ACCOUNT, region=REGION).start()
    except OSError as error:
        raise DemoFailure(
            f"port {port} cannot be listened on ({error.strerror}): name another, or leave out --port"
        ) from error


def _network(emulator: Emulator) -> dict[str, str]:
    """The variables of the example that name a network: AWS's default one, which every account has."""
    session = connect(REGION, endpoint_url=emulator.url)
    with Gate(session, account=ACCOUNT, clock=emulator.world.now, sleep=emulator.tick) as gate:
        vpc = gate.read(Call("ec2", "DescribeVpcs"))["vpcs"][0]["vpcId"]
        subnets = sorted(item["subnetId"] for item in gate.read(Call("ec2", "DescribeSubnets"))["subnets"])
        group = gate.read(Call("ec2", "DescribeSecurityGroups"))["securityGroups"][0]["groupId"]
    session.close()
    return {
        "vpc": vpc,
        "subnet_a": subnets[0],
        "subnet_b": subnets[1],
        "load_balancer_security_group": group,
    }
