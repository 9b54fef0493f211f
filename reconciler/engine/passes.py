"""A pass: observe → diff → plan → apply → assess, once, for one environment at one commit.

It never waits for a rollout: the report says when to look again. `watching` makes passes until nothing moves, for the
command line's `--wait` and for tests; the controller has its own schedule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from reconciler.core.call import Reader
from reconciler.core.errors import ReconcilerError
from reconciler.core.kind import Kind
from reconciler.core.live import TAG_DIGEST
from reconciler.core.plan import Action, Plan, Verb
from reconciler.core.planner import Planned, make_plan
from reconciler.core.policy import Intent
from reconciler.core.report import PassReport
from reconciler.core.resource import Desired
from reconciler.core.situation import Situation
from reconciler.core.values import ResourceId, Spec
from reconciler.engine.assess import assess, look_again
from reconciler.engine.execute import Outcome, Writer, execute
from reconciler.engine.memory import Memory, NoMemory
from reconciler.engine.observe import Observation, observe
from reconciler.engine.render import Renderings


class AwsGate(Reader, Writer, Protocol):
    """What a pass needs of the gate."""

    @property
    def counts(self) -> Mapping[str, int]: ...

    @property
    def remembered(self) -> Mapping[str, tuple[int, datetime]]: ...

    def now(self) -> datetime: ...

    def verify_account(self) -> None: ...


@dataclass(frozen=True)
class Order:
    """What a pass is asked to do."""

    intent: Intent = Intent.ORDER
    write: bool = True  # False: the plan is made and shown, nothing is written
    denied: str = ""  # the sync window that forbids writes now
    forced: str = ""  # a person's reason to go against holds and windows
    named_commit: bool = False
    approved: str = ""
    destroying: bool = False
    adopt: frozenset[ResourceId] = frozenset()  # taken over as if their manifests said so
    verbs: frozenset[Verb] | None = None  # only actions of these kinds are taken; None: all


@dataclass
class Engine:
    """Everything that passes over one environment share."""

    renderings: Renderings
    kinds: Mapping[str, Kind]
    gate: AwsGate
    memory: Memory = field(default_factory=NoMemory)
    on_plan: Callable[[Plan], None] = lambda _plan: None
    on_action: Callable[[Action], None] = lambda _action: None
    _ancestry: dict[tuple[str, str], bool] = field(default_factory=dict)  # asked of git once for each pair
    _absent: set[str] = field(default_factory=set)  # commits that could not be had in this pass

    def run(self, desired: Desired, order: Order) -> PassReport:
        """One pass. Raises WrongAccountError and PlanError; what AWS refuses is in the report."""
        self.gate.verify_account()
        now = self.gate.now()
        desired = _adopting(desired, order.adopt)
        seen = observe(desired, self.kinds, self.gate, now)
        situation = self._situation(desired, order, seen, now)
        planned = make_plan(situation)
        if order.verbs is not None:
            actions = tuple(action for action in planned.plan.actions if action.verb in order.verbs)
            planned = replace(planned, plan=replace(planned.plan, actions=actions))
        planned = replace(planned, plan=replace(planned.plan, notes=(*planned.plan.notes, *self._ages(now))))
        self.on_plan(planned.plan)
        outcome: Outcome | None = None
        if order.write and planned.plan.actions:
            outcome = execute(planned.plan, self.gate, situation.lookup, self.on_action)
        statuses = assess(situation, planned, outcome)
        if order.write:
            self._remember(situation, planned)
        return PassReport(
            environment=situation.environment,
            commit=desired.commit,
            started=now,
            plan=planned.plan,
            statuses=statuses,
            applied=tuple(outcome.applied) if outcome else (),
            failures=tuple(outcome.failures) if outcome else (),
            skipped=tuple(outcome.skipped) if outcome else (),
            look_again=look_again(planned, outcome, statuses),
            calls=dict(self.gate.counts),
            warnings=desired.warnings,
        )

    def _ages(self, now: datetime) -> list[str]:
        """What the plan rests on that was not read lately, because AWS has no batch call for it."""
        ages = {name: (now - since) // timedelta(minutes=1) for name, (_, since) in self.gate.remembered.items()}
        return [
            f"{name}: {self.gate.remembered[name][0]} answers are up to {age} min old (read once an hour)"
            for name, age in sorted(ages.items())
            if age > 0
        ]

    def _situation(self, desired: Desired, order: Order, seen: Observation, now: datetime) -> Situation:
        environment = desired.environment.tag
        self._absent.clear()
        ages = {identity: now - since for identity, since in self.memory.drifts(environment).items()}
        return Situation(
            desired=desired,
            kinds=self.kinds,
            claims=seen.claims,
            now=now,
            intent=order.intent,
            render=lambda commit: self.renderings.base(commit) if self._followed(commit, desired.commit) else None,
            is_ancestor=lambda commit: self._reaches(commit, desired.commit),
            denied=order.denied,
            forced=order.forced,
            named_commit=order.named_commit,
            approved=order.approved,
            destroying=order.destroying,
            unreadable=seen.unreadable,
            drift_ages=ages,
            baselines=self._baselines(environment, seen),
            history=lambda commit: self._history(commit, desired),
        )

    def _history(self, commit: str, desired: Desired) -> list[str]:
        """What lies between a commit and the desired one, as far as it touches the environment."""
        if not self._reaches(commit, desired.commit):
            return [commit]
        environment = desired.environment
        paths = [*environment.layers, environment.origin.path]
        between = self.renderings.repository.log(commit, desired.commit, paths)
        return list(dict.fromkeys([desired.commit, *(one.id for one in between), commit]))

    def _followed(self, commit: str, desired: str) -> bool:
        """Whether the followed branch has the commit: a base from elsewhere proves nothing."""
        repository = self.renderings.repository
        return self._reaches(commit, desired) or self._reaches(commit, repository.commit("HEAD").id)

    def _reaches(self, commit: str, newer: str) -> bool:
        """Whether a commit is the other or an ancestor of it; a commit that could not be had may be there next time."""
        repository = self.renderings.repository
        if commit == newer:
            return True
        if (known := self._ancestry.get((commit, newer))) is not None:
            return known
        if commit in self._absent or not self._had(commit):
            self._absent.add(commit)
            return False
        return self._ancestry.setdefault((commit, newer), repository.is_ancestor(commit, newer))

    def _had(self, commit: str) -> bool:
        try:
            return self.renderings.repository.obtain(commit)
        except ReconcilerError:
            return False  # the remote does not answer: as good as not there, until the next pass

    def _baselines(self, environment: str, seen: Observation) -> dict[ResourceId, Spec]:
        """What AWS answered after our last apply, for what was applied then: the digest tag on the object says so."""
        tags = {identity: live.tags.get(TAG_DIGEST) for identity, live in seen.claims.owned.items()}
        kept = self.memory.baselines(environment)
        return {identity: spec for identity, (digest, spec) in kept.items() if tags.get(identity) == digest}

    def _remember(self, situation: Situation, planned: Planned) -> None:
        """Takes the baseline of what is in sync and has none, and since when the rest has drifted."""
        drifted: set[ResourceId] = set()
        for identity, judgement in planned.judgements.items():
            resource = situation.desired.resources[identity]
            if judgement.incidents:
                drifted.add(identity)
            in_sync = not judgement.differences and judgement.live.tags.get(TAG_DIGEST) == resource.digest
            if in_sync and identity not in situation.baselines:
                self.memory.keep_baseline(situation.environment, identity, resource.digest, judgement.live.spec)
        self.memory.keep_drifts(situation.environment, drifted, situation.now)


def _adopting(desired: Desired, wanted: frozenset[ResourceId]) -> Desired:
    if not wanted:
        return desired
    resources = {
        identity: replace(resource, settings=replace(resource.settings, adopt=True)) if identity in wanted else resource
        for identity, resource in desired.resources.items()
    }
    return replace(desired, resources=resources)


def watching(
    engine: Engine,
    desired: Callable[[], Desired],
    order: Order,
    *,
    pause: Callable[[timedelta], None],
    until: Callable[[PassReport], bool] = lambda report: report.settled,
) -> Iterator[PassReport]:
    """Passes, each after the pause that the last one asked for, until `until` is satisfied."""
    while True:
        report = engine.run(desired(), order)
        yield report
        if until(report):
            return
        pause(report.look_again or timedelta(seconds=5))
