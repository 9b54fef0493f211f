"""From a situation to a plan: one action for each resource that has something to be done, with its edges.

Called by the engine in every pass; pure, so that a plan can be made, shown and compared without AWS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from reconciler.core import steps
from reconciler.core.compare import Comparison
from reconciler.core.difference import Cause, Difference
from reconciler.core.kind import Kind, Replacement
from reconciler.core.live import TAG_COMMIT, TAG_DIGEST, Health, HealthState, Live, RolloutState
from reconciler.core.plan import Action, Held, Plan, Verb, ordered
from reconciler.core.policy import Intent, Verdict
from reconciler.core.pruning import prune
from reconciler.core.replacement import Pair, Step, pair
from reconciler.core.resource import Resource, Users, users_of
from reconciler.core.situation import Situation
from reconciler.core.together import joined
from reconciler.core.values import ABSENT, Ref, ResourceId, digest_of, references
from reconciler.core.verdict import Judgement, judge


@dataclass(frozen=True)
class Planned:
    """A plan, and the judgements that it was made from, for the report."""

    plan: Plan
    judgements: Mapping[ResourceId, Judgement]
    pairs: Mapping[ResourceId, Pair]
    moving: frozenset[ResourceId] = frozenset()  # a change of this or an earlier pass is not over


def make_plan(situation: Situation) -> Planned:
    """The plan of a pass. Raises PlanError when references or waves go in a circle."""
    return _Planner(situation).run()


@dataclass
class _Planner:
    situation: Situation
    actions: dict[ResourceId, Action] = field(default_factory=dict)
    held: dict[ResourceId, Held] = field(default_factory=dict)
    judgements: dict[ResourceId, Judgement] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    moving: set[ResourceId] = field(default_factory=set)  # a change of this or an earlier pass is not over
    recovering: set[ResourceId] = field(default_factory=set)  # what failed is being taken back: no wave waits for it

    def run(self) -> Planned:
        for identity, resource in self.situation.desired.resources.items():
            if not self.kind(identity).content_addressed:
                self._resource(resource)
        self._retire()
        self._hold_waves()
        self._contents()
        self._hold_dependants()
        deletions, kept, wanted = prune(self.situation)
        made = tuple(action.id for action in self.actions.values())
        deletions = [replace(action, after=(*action.after, *made)) for action in deletions]
        plan = Plan(
            environment=self.situation.environment,
            commit=self.situation.commit,
            actions=ordered([*self._joined(), *deletions]),
            held=(*self.held.values(), *kept),
            notes=tuple(self.notes),
            deletions=wanted,
        )
        return Planned(plan, self.judgements, self.pairs, frozenset(self.moving | self.recovering))

    def _joined(self) -> list[Action]:
        edged = [self._with_edges(action) for action in self.actions.values()]
        return joined(edged, lambda action, call: self.kind(action.resource).together(call))

    def kind(self, identity: ResourceId) -> Kind:
        return self.situation.kinds[identity.kind]

    @cached_property
    def users(self) -> Users:
        return users_of(self.situation.desired.resources)

    @cached_property
    def pairs(self) -> dict[ResourceId, Pair]:
        """The replacements under way."""
        claims, resources = self.situation.claims, self.situation.desired.resources
        found: dict[ResourceId, Pair] = {}
        for identity, old in claims.retiring.items():
            users = [
                (resources[user], claims.owned.get(user), self._health(user)) for user in self.users.get(identity, ())
            ]
            found[identity] = pair(old, claims.owned[identity], identity, users)
        return found

    def _health(self, identity: ResourceId) -> Health:
        live = self.situation.claims.owned.get(identity)
        return self.kind(identity).health(live) if live else Health(HealthState.MISSING)

    # ------------------------------------------------------------------------------------------------- one resource

    def _resource(self, resource: Resource) -> None:
        claims, identity = self.situation.claims, resource.id
        if reason := self.situation.unread(resource):
            self._hold(identity, reason, "it is read again in the next pass")
        elif reason := claims.refused.get(identity, ""):
            self._hold(identity, reason, blocked=True)
        elif unclear := next((ref.target for ref in resource.references if ref.target in claims.refused), None):
            self._hold(identity, f"it needs {unclear}: {claims.refused[unclear]}")
        elif live := claims.owned.get(identity):
            self._owned(resource, live)
        elif live := claims.adoptable.get(identity):
            self._adopt(resource, live)
        else:
            self._create(resource)

    def _hold(
        self,
        identity: ResourceId,
        reason: str,
        next_step: str = "",
        differences: tuple[Difference, ...] = (),
        *,
        blocked: bool = False,
    ) -> None:
        self.actions.pop(identity, None)
        self.held[identity] = Held(identity, reason, next_step, differences, blocked)

    def _act(self, action: Action) -> None:
        self.actions[action.resource] = action

    def _may_write(self, resource: Resource, live: Live | None) -> bool:
        """Whether the policy lets a whole object be made or taken over; says why when not."""
        if not self._applies:
            self._hold(resource.id, "the environment is in manual mode", "`reconciler sync` applies it")
        elif stopped := self.situation.stopped(resource, live):
            self._hold(resource.id, stopped, "wait, or `reconciler sync --force --reason …`")
        else:
            return True
        return False

    def _create(self, resource: Resource) -> None:
        if self._may_write(resource, None):
            self._act(steps.creation(self.situation, resource, self.pairs))

    def _adopt(self, resource: Resource, live: Live) -> None:
        if self._may_write(resource, live):
            judgement = judge(self.situation, resource, live, {}, self._comparison(self.kind(resource.id)))
            self.judgements[resource.id] = judgement
            self._act(steps.adoption(self.situation, judgement))

    def _comparison(self, kind: Kind) -> Comparison:
        return Comparison(kind, self.situation.kinds, self.situation.lookup)

    def _owned(self, resource: Resource, live: Live) -> None:
        situation, kind = self.situation, self.kind(resource.id)
        if live.facts.get("leaving"):
            self._hold(resource.id, "an object of its name is being deleted", "it is made anew when that is gone")
            self.moving.add(resource.id)
            return
        judgement = judge(situation, resource, live, self.pairs, self._comparison(kind))
        self.judgements[resource.id] = judgement
        fresh = live.tags.get(TAG_COMMIT) == situation.commit
        if fresh and kind.health(live).state is HealthState.PROGRESSING:
            self.moving.add(resource.id)
        if not self._settle_rollout(resource, judgement) and not self._stands_still(resource, judgement):
            self._write(resource, judgement)

    def _settle_rollout(self, resource: Resource, judgement: Judgement) -> bool:
        """Deals with a rollout that failed or is under way; True when nothing else may happen in this pass."""
        rollout = judgement.rollout
        if not judgement.ours or rollout.state not in (RolloutState.FAILED, RolloutState.RUNNING):
            return False
        if rollout.state is RolloutState.RUNNING:
            self.moving.add(resource.id)
            if judgement.differences:
                self._hold(resource.id, f"a deployment of ours is under way: {rollout.reason}")
        elif self._may_mark(resource, judgement.live):
            self._act(steps.failure(self.situation, resource, judgement))
        else:
            self._hold(resource.id, f"its rollout failed: {rollout.reason}", blocked=True)
        return True

    def _stands_still(self, resource: Resource, judgement: Judgement) -> bool:
        """Whether quarantine, or a commit that is older than what runs, forbids every write; says so."""
        if judgement.quarantined:
            if self.kind(resource.id).health(judgement.live).state is HealthState.PROGRESSING:
                self.recovering.add(resource.id)
            self._hold(
                resource.id,
                "in quarantine: the rollout of this content failed",
                f"another content supersedes it; `reconciler release {resource.id}` tries it once more",
                judgement.differences,
                blocked=True,
            )
            return True
        ahead = self.situation.ahead(judgement.live)
        if ahead and judgement.differences and not self.situation.named_commit:
            self._hold(
                resource.id,
                f"commit {ahead[:10]}, which it has, is no ancestor of this one",
                f"`--commit {self.situation.commit[:10]}` says that it is meant",
                judgement.differences,
                blocked=True,
            )
            return True
        return False

    def _write(self, resource: Resource, judgement: Judgement) -> None:
        if judgement.refused:
            reason = f"git dropped {steps.fields_of(judgement.refused)}, which AWS cannot be without"
            self._hold(resource.id, reason, "declare it again", blocked=True)
        elif judgement.replacing and self.kind(resource.id).replacement is Replacement.NEW_FIRST:
            self._succeed(resource, judgement)
        elif judgement.replacing:
            self._delete_first(resource, judgement)
        elif judgement.approved:
            self._act(steps.change(self.situation, resource, judgement, in_pair=resource.id in self.pairs))
        else:
            self._record(resource, judgement)
        self.notes += [f"{resource.id}: git dropped {item.field}; its live value stays" for item in judgement.kept]

    def _succeed(self, resource: Resource, judgement: Judgement) -> None:
        """A create-only field of what serves: a successor, one at a time."""
        under_way = self.pairs.get(resource.id)
        if under_way is None:
            self._act(steps.succession(self.situation, judgement, self.pairs))
        elif under_way.step is not Step.RETIRE:
            fields = steps.fields_of(judgement.replacing)
            self._hold(resource.id, f"{fields} waits until the replacement under way is over")
            self.moving.add(resource.id)

    def _delete_first(self, resource: Resource, judgement: Judgement) -> None:
        """A create-only field of what has a name or port that cannot be there twice: only if a person allowed it."""
        allowed = digest_of(["replace", str(resource.id), resource.digest, judgement.live.arn], version="r1")
        if resource.settings.allow_replace == allowed:
            self._act(steps.deletion_first(self.situation, judgement))
            return
        fields = steps.fields_of(judgement.replacing)
        self._hold(
            resource.id,
            f"{fields} cannot be changed: it must be deleted first and made anew",
            f"`reconcile: {{allowReplace: {allowed}}}` allows just that",
            judgement.differences,
            blocked=True,
        )

    def _record(self, resource: Resource, judgement: Judgement) -> None:
        """Nothing to write: ends the change under way, or refreshes tags that are behind."""
        kind, live, situation = self.kind(resource.id), judgement.live, self.situation
        waiting = judgement.with_verdict(Verdict.WAIT, Verdict.SHOW)
        if waiting:
            reason = next(iter(judgement.decisions[item.field].why for item in waiting), "")
            self._hold(resource.id, reason, differences=waiting)
            return
        unlisted = kind.rolls_out and live.applying and judgement.rollout.state is RolloutState.NONE
        if unlisted and kind.health(live).state is HealthState.PROGRESSING:
            self.moving.add(resource.id)  # its deployment is not listed yet
            return
        stale = live.tags.get(TAG_DIGEST) != resource.digest or resource.id in situation.claims.renamed
        drifts = tuple(item for item in judgement.differences if item not in judgement.kept)
        if resource.id in self.pairs or not (live.applying or stale) or (stale and drifts and not live.applying):
            return
        if self._may_mark(resource, live):
            self._act(steps.record(situation, resource, live))

    def _may_mark(self, resource: Resource, live: Live) -> bool:
        """Whether even tags may be written: not while only watching, nor against a hold."""
        return self._applies and not self.situation.stopped(resource, live)

    @property
    def _applies(self) -> bool:
        return self.situation.intent is Intent.ORDER or self.situation.desired.environment.sync.mode == "auto"

    # ----------------------------------------------------------------------------------------------- between resources

    def _retire(self) -> None:
        for identity, one in self.pairs.items():
            resource = self.situation.desired.resources.get(identity)
            if resource is None:
                continue
            if one.step is Step.WAIT:
                self.notes.append(
                    f"{identity}: {one.new.natural} waits to be as healthy as {one.old.natural}, and settled"
                )
            if one.step is Step.RETIRE and identity not in self.actions and identity not in self.held:
                self._delete_replaced(resource, one)
            if not self.held.keys() & {identity, *(consumer.id for consumer in (*one.forwarders, *one.services))}:
                self.moving.add(identity)

    def _delete_replaced(self, resource: Resource, one: Pair) -> None:
        if self.situation.unreadable:
            self._hold(resource.id, "the old one stays until everything could be read", "it is read again")
        elif self._may_write(resource, one.old):
            self._act(steps.replaced(self.situation, one))

    def _contents(self) -> None:
        """Registers content only where somebody is about to use it, or where nobody uses it but git asks for it."""
        needed = {ref.target for action in self.actions.values() for ref in _refs(action)}
        for identity, resource in self.situation.desired.resources.items():
            if not self.kind(identity).content_addressed or identity in self.situation.claims.owned:
                continue
            users = self.users.get(identity, ())
            if reason := self.situation.unreadable.get(identity.kind):
                self._hold(identity, reason, "it is read again in the next pass")
            elif identity in needed or not users:
                self._create(resource)
            elif held := next((self.held[user] for user in users if user in self.held), None):
                self._hold(identity, f"{held.resource} does not need it yet: {held.reason}")

    def _hold_waves(self) -> None:
        """A wave waits until what the earlier ones change is in sync and healthy.

        A replacement under way ends only when its users do their part: these wait for everything but replacements.
        """
        under_way = {identity for identity, one in self.pairs.items() if one.step is not Step.RETIRE}
        partakers = self._partakers(under_way)
        self._wait([one for one in self.actions if one not in partakers], set())
        self._wait([one for one in self.actions if one in partakers], under_way)

    def _wait(self, waiting: list[ResourceId], ignored: set[ResourceId]) -> None:
        """Holds those that are `waiting` and of a later wave than what is busy, the `ignored` apart."""
        resources = self.situation.desired.resources
        busy = [
            resources[one].settings.wave
            for one in {*self.actions, *self.moving} - ignored
            if one in resources and self._counts(one)
        ]
        first = min(busy, default=0)
        for identity in [one for one in waiting if resources[one].settings.wave > first]:
            if not self.actions[identity].silent and self.actions[identity].verb is not Verb.QUARANTINE:
                self._hold(identity, f"its wave {resources[identity].settings.wave} waits for wave {first}")

    def _partakers(self, replaced: set[ResourceId]) -> set[ResourceId]:
        """The users of what is replaced, and what is made because they, or their content, need it."""
        resources = self.situation.desired.resources
        users = {user for identity in replaced for user in self.users.get(identity, ())}
        needed, left = set(users), list(users)
        while left:
            targets = {ref.target for ref in resources[left.pop()].references} & resources.keys() - needed
            needed |= targets
            left += targets
        actions = self.actions
        return users | {one for one in needed if one in actions and actions[one].verb is Verb.CREATE}

    def _counts(self, identity: ResourceId) -> bool:
        action = self.actions.get(identity)
        if identity in self.moving or action is None:
            return identity in self.moving
        heals = action.verb is Verb.UPDATE and all(item.cause is Cause.DRIFTED for item in action.differences)
        return not heals and action.verb not in (Verb.STAMP, Verb.QUARANTINE)

    def _hold_dependants(self) -> None:
        """Holds back what needs something that neither exists nor is being made."""
        changed = True
        while changed:
            changed = False
            for identity, action in list(self.actions.items()):
                missing = next((ref for ref in _refs(action) if self._never_known(ref, identity)), None)
                if missing is not None:
                    held = self.held.get(missing.target)
                    self._hold(identity, f"it needs {missing.target}" + (f": {held.reason}" if held else ""))
                    changed = True

    def _never_known(self, ref: Ref, user: ResourceId) -> bool:
        if ref.target == user:
            return False
        action = self.actions.get(ref.target)
        made = action is not None and action.verb is Verb.CREATE
        return not made and self.situation.lookup(ref) is ABSENT

    def _with_edges(self, action: Action) -> Action:
        resource = self.situation.desired.resources[action.resource]
        wanted = {ref.target for ref in resource.references} | set(self.kind(resource.id).after(resource, self.users))
        edges = tuple(self.actions[identity].id for identity in sorted(wanted) if identity in self.actions)
        return replace(action, after=edges)


def _refs(action: Action) -> list[Ref]:
    return [ref for call in action.calls for ref in references(dict(call.params))]
