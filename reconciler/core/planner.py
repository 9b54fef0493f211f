"""From a situation to a plan: one action for each resource that has something to be done, with its edges.

Called by the engine in every pass; pure, so that a plan can be made, shown and compared without AWS.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from reconciler.core.call import Call
from reconciler.core.compare import Comparison, named
from reconciler.core.difference import Cause, Difference
from reconciler.core.fields import Effect
from reconciler.core.kind import Change, Creation, Kind, Replacement
from reconciler.core.live import TAG_COMMIT, TAG_DIGEST, TAG_REPLACES, Health, HealthState, Live, RolloutState
from reconciler.core.names import physical_name
from reconciler.core.patch import patched
from reconciler.core.plan import Action, Held, Plan, Verb, ordered
from reconciler.core.policy import Intent, Verdict
from reconciler.core.protocol import applied, applying, begin, finish, owner, quarantine
from reconciler.core.pruning import prune
from reconciler.core.replacement import Pair, Step, overlay, pair
from reconciler.core.resource import Resource, Users, users_of
from reconciler.core.situation import Situation
from reconciler.core.tags import tag_call, untag_call
from reconciler.core.together import joined
from reconciler.core.values import ABSENT, Ref, ResourceId, digest_of, references, resolve
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

    def _act(self, resource: Resource, verb: Verb, calls: Iterable[Call], why: str, **more: object) -> None:
        self.actions[resource.id] = replace(Action(resource.id, verb, tuple(calls), why), **more)  # type: ignore[arg-type]  # names of Action's own fields

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
            calls = self._birth(resource, {})
            content = self.kind(resource.id).content_addressed
            why = "no revision has this content yet" if content else "git has it and AWS does not"
            self._act(resource, Verb.CREATE, calls, why)

    def _birth(self, resource: Resource, more: Mapping[str, str]) -> tuple[Call, ...]:
        """The calls that make an object. It is born as under way unless one call makes it whole."""
        situation, kind = self.situation, self.kind(resource.id)
        spec = resolve(named(kind, resource, overlay(resource, self.pairs).spec), situation.lookup)
        ours = owner(situation.environment, resource) | dict(more)
        done = applied(situation.commit, resource)
        name = physical_name(kind, resource, situation.environment, spec)
        token = digest_of([ours, done, situation.now.isoformat()]).partition(":")[2] * 2
        whole = Creation(resource.id, name, spec, ours | done, token)
        calls = kind.create(whole)
        if len(calls) == 1 and not kind.rolls_out and not more:
            return calls
        mark = applying(situation.commit, situation.now)
        calls = kind.create(replace(whole, tags=ours | mark))
        if kind.rolls_out or more:
            return calls
        arn = Ref(resource.id, "arn")
        return (*calls, *finish(kind, arn, resource, situation.commit, situation.environment, ours | mark))

    def _adopt(self, resource: Resource, live: Live) -> None:
        """Takes an object over by tags alone; whatever differs is the next pass's, as changes of git."""
        if not self._may_write(resource, live):
            return
        kind, situation = self.kind(resource.id), self.situation
        judgement = judge(situation, resource, live, {}, self._comparison(kind))
        tags = owner(situation.environment, resource)
        self.judgements[resource.id] = judgement
        if judgement.differences:
            tags |= applying(situation.commit, situation.now)
        else:
            tags |= applied(situation.commit, resource)
        calls = (tag_call(kind.service, live.arn, tags),)
        self._act(resource, Verb.ADOPT, calls, "its manifest says adopt: true", differences=judgement.differences)

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
        kind, live, rollout = self.kind(resource.id), judgement.live, judgement.rollout
        if not judgement.ours:
            return False
        if rollout.state is RolloutState.FAILED and self._may_mark(resource, live):
            calls = (*kind.abort(live, rollout), *quarantine(kind, live.arn, resource.digest))
            self._act(resource, Verb.QUARANTINE, calls, f"its rollout failed: {rollout.reason}")
        elif rollout.state is RolloutState.FAILED:
            self._hold(resource.id, f"its rollout failed: {rollout.reason}", blocked=True)
        if rollout.state is RolloutState.FAILED:
            return True
        if rollout.state is RolloutState.RUNNING:
            self.moving.add(resource.id)
            if judgement.differences:
                self._hold(resource.id, f"a deployment of ours is under way: {rollout.reason}")
            return True
        return False

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
            fields = ", ".join(item.field for item in judgement.refused)
            self._hold(
                resource.id, f"git dropped {fields}, which AWS cannot be without", "declare it again", blocked=True
            )
        elif judgement.replacing and not self._replace(resource, judgement):
            return
        elif judgement.approved and resource.id not in self.actions:
            self._update(resource, judgement)
        elif resource.id not in self.actions:
            self._record(resource, judgement)
        for item in judgement.kept:
            self.notes.append(f"{resource.id}: git dropped {item.field}; its live value stays")

    def _replace(self, resource: Resource, judgement: Judgement) -> bool:
        """Plans what create-only fields take; True when other changes may go on beside it."""
        kind, live = self.kind(resource.id), judgement.live
        fields = ", ".join(item.field for item in judgement.replacing)
        if kind.replacement is Replacement.NEW_FIRST:
            if under_way := self.pairs.get(resource.id):
                if under_way.step is not Step.RETIRE:
                    self._hold(resource.id, f"{fields} waits until the replacement under way is over")
                    self.moving.add(resource.id)
            else:
                calls = self._birth(resource, {TAG_REPLACES: live.natural})
                if TAG_REPLACES in live.tags:  # it replaced one itself, which may have had its successor's name
                    calls = (untag_call(kind.service, live.arn, [TAG_REPLACES]), *calls)
                why = f"{fields} cannot be changed: a successor takes over while it serves"
                self._act(resource, Verb.CREATE, calls, why, differences=judgement.replacing)
            return False
        allowed = digest_of(["replace", str(resource.id), resource.digest, live.arn], version="r1")
        if resource.settings.allow_replace != allowed:
            self._hold(
                resource.id,
                f"{fields} cannot be changed: it must be deleted first and made anew",
                f"`reconcile: {{allowReplace: {allowed}}}` allows just that",
                judgement.differences,
                blocked=True,
            )
            return False
        why = f"{fields} cannot be changed, and its manifest allows to replace it"
        self._act(resource, Verb.REPLACE, kind.delete(live), why, differences=judgement.replacing)
        return False

    def _update(self, resource: Resource, judgement: Judgement) -> None:
        situation, kind, live = self.situation, self.kind(resource.id), judgement.live
        comparison = self._comparison(kind)
        embedded = comparison.embedded(judgement.resource)
        target = patched(
            kind.prepare(live.spec), [item for item in judgement.approved if item.path[0] not in embedded], kind.table
        )
        for path in embedded:
            if any(item.path[0] == path for item in judgement.approved):
                target[path] = resolve(judgement.resource.spec[path], situation.lookup)
        target = resolve(target, situation.lookup)
        calls = kind.update(Change(resource.id, live, target, judgement.approved))
        starts = kind.rolls_out and any(item.effect is Effect.DEPLOYMENT for item in judgement.approved)
        if starts or len(calls) > 1:
            calls = (*begin(kind, live.arn, situation.commit, situation.now, live.tags), *calls)
        if not starts and resource.id not in self.pairs:
            tags = dict(live.tags) | (applying(situation.commit, situation.now) if len(calls) > 1 else {})
            calls = (*calls, *finish(kind, live.arn, resource, situation.commit, situation.environment, tags))
        self._act(
            resource,
            Verb.UPDATE,
            calls,
            _why(judgement),
            differences=judgement.approved,
            notes=tuple(_carried(judgement, embedded)),
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
            calls = finish(kind, live.arn, resource, situation.commit, situation.environment, live.tags)
            self._act(resource, Verb.STAMP, calls, "what runs is what git says")

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
            calls = self.kind(resource.id).delete(one.old)
            self._act(resource, Verb.DELETE, calls, f"its successor {one.new.natural} has taken over")

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
        """A wave waits until what the earlier ones change is in sync and healthy."""
        resources = self.situation.desired.resources
        busy = [
            resources[one].settings.wave
            for one in {*self.actions, *self.moving}
            if one in resources and self._counts(one)
        ]
        first = min(busy, default=0)
        for identity in [one for one in self.actions if resources[one].settings.wave > first]:
            if not self.actions[identity].silent and self.actions[identity].verb is not Verb.QUARANTINE:
                self._hold(identity, f"its wave {resources[identity].settings.wave} waits for wave {first}")

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


def _why(judgement: Judgement) -> str:
    causes = dict.fromkeys(item.cause.value for item in judgement.approved)
    fields = len(judgement.approved)
    return f"{fields} field{'s' if fields > 1 else ''} {' and '.join(causes)}"


def _carried(judgement: Judgement, embedded: tuple[str, ...]) -> Iterable[str]:
    """What a call that replaces a whole object takes along."""
    for path in embedded:
        touched = any(item.path[0] == path for item in judgement.approved)
        left = [item.field for item in judgement.differences if item.path[0] == path and item not in judgement.approved]
        if touched and left:
            yield f"the new revision is what git says as a whole, so it also puts back {', '.join(left)}"
    if judgement.base_unknown:
        yield f"the causes are guesses: {judgement.base_unknown}"
    if any(item.effect is Effect.DEPLOYMENT for item in judgement.approved):
        yield "starts a new deployment"
