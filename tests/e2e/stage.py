"""The stage of the end-to-end tests: a real git repository, the emulated AWS over HTTP, and the engine between them.

    stage.write({"base/web.yaml": …}); stage.commit("a new image")
    stage.settle()                        # passes, time passing between them, until nothing moves
    stage.restart()                       # the process has died: nothing that was in memory is left
    assert stage.state() == before        # what AWS has, without what differs from run to run

Every test of this folder goes through here, and so do the crash and fault suites (`deaths.py`).
"""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from reconciler.aws.cache import MemoryCache
from reconciler.aws.gate import Gate
from reconciler.aws.session import Session, connect
from reconciler.core.plan import Plan
from reconciler.core.report import PassReport
from reconciler.core.resource import Desired
from reconciler.emulator.ecs.instances import add_instance
from reconciler.emulator.world import World
from reconciler.engine.memory import NoMemory
from reconciler.engine.passes import AwsGate, Engine, Order
from reconciler.engine.render import Renderings
from reconciler.git import open_repository
from reconciler.kinds import KINDS
from tests.e2e import end_state

EXAMPLES: Final = Path(__file__).parents[2] / "examples"
ACCOUNT: Final = "123456789012"
REGION: Final = "us-east-1"
CONTROLLER: Final = "AKIDCONTROLLER"  # access keys: the trail tells who made a call
PERSON: Final = "AKIDPERSON"
STEP: Final = 5.0  # virtual seconds between two passes, as `look_again` asks while something moves
HOSTS: Final = 3  # container instances that join each cluster that the repository makes
DRY: Final = Order(write=False)


class Stage:
    """One repository, one emulated AWS, and one controller, which `restart` kills and starts anew.

    `emulator` is the fixture; `folder` an empty one. The repository is that of `write` and `commit`; its environment
    must be in ACCOUNT and REGION (`environment` makes such a manifest).
    """

    def __init__(self, emulator: Any, folder: Path) -> None:
        self.aws = emulator
        self.folder = folder
        self.root = folder / "repository"
        self.root.mkdir(parents=True)
        self.hosts = 0  # set it to HOSTS for tasks on EC2
        self.wrap: Callable[[Gate], AwsGate] = lambda gate: gate
        self.before_write: Callable[[Any], None] | None = None
        self.on_action: Callable[[Any], None] = lambda _action: None
        self.watch: Callable[[], None] | None = None  # looks at AWS after every tick (S), and raises
        self.reports: list[PassReport] = []
        self._session: Session | None = None
        self._engine: Engine | None = None
        self._gates: list[Gate] = []
        self._git("init", "-q", "-b", "main")
        self._git("config", "user.name", "Ada Example")
        self._git("config", "user.email", "ada@example.com")
        self.network()

    # ---------------------------------------------------------------------------------------------------- the network

    def network(self) -> None:
        """Look up the default network of the emulated account: `vpc`, `subnets` (two) and `security_group`."""
        ec2 = self.client("ec2")
        self.vpc = str(ec2.describe_vpcs()["Vpcs"][0]["VpcId"])
        self.subnets = sorted(str(subnet["SubnetId"]) for subnet in ec2.describe_subnets()["Subnets"])[:2]
        self.security_group = str(ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"])

    def client(self, service: str) -> Any:
        """Return a boto3 client for what people do by hand; its access key is not the controller's."""
        return self.aws.client(service, region=REGION, access_key=PERSON)

    def begin_anew(self) -> None:
        """Empty the emulated AWS and restart; the repository stays. Its network has the same ids again."""
        before = (self.vpc, self.subnets, self.security_group)
        self.aws.reset()
        self.network()
        assert (self.vpc, self.subnets, self.security_group) == before
        self.restart()

    # ------------------------------------------------------------------------------------------------- the repository

    def write(self, files: Mapping[str, str | None]) -> None:
        """Write files of the repository; None removes one."""
        for name, text in files.items():
            path = self.root / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)

    def edit(self, name: str, *changes: tuple[str, str]) -> None:
        """Replace text in a file; each `old` must be there."""
        text = (self.root / name).read_text()
        for old, new in changes:
            assert old in text, f"{name} has no {old!r}"
            text = text.replace(old, new)
        self.write({name: text})

    def commit(self, message: str = "a change") -> str:
        """Commit everything. Returns the commit's id."""
        self._git("add", "-A")
        self._git("commit", "-q", "--allow-empty", "-m", message)
        return self.head

    def checkout(self, revision: str, *options: str) -> None:
        """Move the work tree, and so what a pass takes for the newest commit."""
        self._git("checkout", "-q", *options, revision)

    @property
    def head(self) -> str:
        return self._git("rev-parse", "HEAD")

    def use_example(self, name: str, environment: str, region: str = "eu-west-1") -> None:
        """Copy an example into the repository, with one of its environments moved into the emulated network."""
        shutil.copytree(EXAMPLES / name, self.root, dirs_exist_ok=True)
        for other in (self.root / "environments").iterdir():
            if other.stem != environment:
                other.unlink()
        path = f"environments/{environment}.yaml"
        text = (self.root / path).read_text()
        wanted = {
            "vpc": self.vpc,
            "subnet_a": self.subnets[0],
            "subnet_b": self.subnets[1],
            "load_balancer_security_group": self.security_group,
            "task_security_group": self.security_group,
        }
        lines = [_variable(line, wanted) for line in text.splitlines()]
        text = "\n".join(lines).replace(f"region: {region}", f"region: {REGION}") + "\n"
        self.write({path: text})

    def _git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.root), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    # -------------------------------------------------------------------------------------------------- the controller

    def restart(self) -> None:
        """Forget everything that a process has in memory: renderings, baselines, caches, the verified account."""
        self._engine = None
        for gate in self._gates:
            gate.close()
        self._gates.clear()

    @property
    def engine(self) -> Engine:
        """The controller of now; made at the first use after a restart."""
        if self._engine is None:
            self._engine = self.another_engine()
        return self._engine

    def another_engine(self) -> Engine:
        """Return a controller that shares nothing with the first but git and AWS."""
        if self._session is None:
            self._session = connect(REGION, endpoint_url=self.aws.url)
        gate = Gate(
            self._session,
            account=ACCOUNT,
            cache=MemoryCache(),
            clock=lambda: World.current().now(),
            sleep=lambda _seconds: None,
            jitter=lambda most: most,
            before_write=lambda call: self.before_write and self.before_write(call),
        )
        self._gates.append(gate)
        repository = open_repository(str(self.root), self.folder / "mirrors")
        return Engine(Renderings(repository, KINDS), KINDS, self.wrap(gate), NoMemory(), on_action=self.on_action)

    def desired(self, engine: Engine | None = None) -> Desired:
        """Return what git says now. Raises InvalidManifestsError."""
        return (engine or self.engine).renderings.at(self.head)

    def run(self, order: Order = Order(), engine: Engine | None = None) -> PassReport:  # noqa: B008  # a frozen value
        """Make one pass at HEAD."""
        engine = engine or self.engine
        report = engine.run(self.desired(engine), order)
        self.reports.append(report)
        return report

    def settle(self, max_passes: int = 40, order: Order = Order()) -> PassReport:  # noqa: B008  # a frozen value
        """Make passes, STEP virtual seconds apart, until one says that nothing moves any more."""
        for _ in range(max_passes):
            report = self.run(order)
            if report.settled:
                return report
            self.tick()
        raise AssertionError(f"not settled after {max_passes} passes: {summary(report)}")

    def tick(self, seconds: float = STEP) -> None:
        """Let virtual time pass. Container instances join the clusters that have none, as their user data says."""
        if self.hosts:
            ecs = self.client("ecs")
            for arn in ecs.list_clusters()["clusterArns"]:
                if not ecs.list_container_instances(cluster=arn)["containerInstanceArns"]:
                    for _ in range(self.hosts):
                        add_instance(arn, ACCOUNT, REGION)
        self.aws.tick(seconds)
        if self.watch:
            self.watch()

    def plan(self, order: Order = DRY) -> Plan:
        """Return what a pass would do; nothing is written."""
        assert not order.write
        return self.run(order).plan

    # ------------------------------------------------------------------------------------------------------ the oracles

    def state(self) -> Any:
        """Return all that AWS has (E), as JSON without what differs from run to run."""
        return end_state.masked(end_state.everything(self.client))

    def writes(self, since: int = 0) -> list[Any]:
        """Return the mutating calls of the controller that AWS has carried out, from the call number `since` on."""
        return [
            call
            for call in self.aws.calls[since:]
            if call.mutating and call.access_key == CONTROLLER and 0 < call.status < 400
        ]

    def counts(self, *operations: str, since: int = 0) -> Counter[tuple[str, str]]:
        """Count the writes (C) by (operation, what they are about): all, or those that begin like one of these."""
        names = operations or ("",)
        return Counter(
            (call.name, end_state.about(call.parameters))
            for call in self.writes(since)
            if call.operation.startswith(tuple(names))
        )

    def assert_no_differences(self) -> None:
        """Assert that a pass of a fresh controller writes nothing (F), and that nothing differs from git."""
        self.restart()
        before = len(self.aws.calls)
        report = self.run()
        made = [call.name for call in self.aws.calls[before:] if call.mutating]
        assert made == [], f"a pass after the last one wrote {made}: {summary(report)}"
        assert report.plan.actions == ()
        wrong = [
            f"{item.id}: {item.message} {item.differences}" for item in report.statuses.values() if item.differences
        ]
        assert wrong == []

    def assert_fixpoint(self) -> None:
        """Assert that the next pass writes nothing (F), whatever is held back."""
        before = len(self.aws.calls)
        report = self.run()
        made = [call.name for call in self.aws.calls[before:] if call.mutating]
        assert made == [], f"a pass after the last one wrote {made}: {summary(report)}"

    def close(self) -> None:
        """End threads and connections."""
        self.restart()
        if self._session is not None:
            self._session.close()


def summary(report: PassReport) -> str:
    """One report in a few lines, for the message of an assertion."""
    lines = [f"at {report.commit[:8]}: {report.sync.value}, {report.health.state.value}, again {report.look_again}"]
    lines += [f"did {action.id}: {action.why}" for action in report.plan.actions]
    lines += [f"held {held.resource}: {held.reason}" for held in report.plan.held]
    lines += [f"failed {failure.action}: {failure.message}" for failure in report.failures]
    lines += [f"is {item.id}: {item.sync.value}, {item.health}, {item.message}" for item in report.statuses.values()]
    return "\n  ".join(lines)


def environment(sync: str = "{mode: auto, selfHeal: true, prune: true, maxDeletions: 10}", name: str = "test") -> str:
    """An environment manifest in the emulated account, with the one layer `base`."""
    return f"""\
apiVersion: reconciler/v1
kind: Environment
metadata: {{name: {name}}}
spec:
  account: "{ACCOUNT}"
  region: {REGION}
  layers: [base]
  sync: {sync}
"""


def _variable(line: str, wanted: Mapping[str, str]) -> str:
    name = line.strip().partition(":")[0]
    return f"{line.partition(name)[0]}{name}: {wanted[name]}" if name in wanted else line
