"""The actions that one resource can need, each with its exact calls.

The planner decides which of them is due; here is what it takes. Each follows the tag protocol, so that a process that
dies between two calls leaves an object whose next step can be told from its tags.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.core.call import Call
from reconciler.core.compare import Comparison, named
from reconciler.core.difference import Difference
from reconciler.core.fields import Effect
from reconciler.core.kind import Change, Creation, Kind
from reconciler.core.live import TAG_REPLACES, Live
from reconciler.core.names import physical_name
from reconciler.core.patch import patched
from reconciler.core.plan import Action, Verb
from reconciler.core.protocol import applied, applying, begin, finish, owner, quarantine
from reconciler.core.replacement import Pair, overlay
from reconciler.core.resource import Resource
from reconciler.core.situation import Situation
from reconciler.core.tags import tag_call, untag_call
from reconciler.core.values import Ref, ResourceId, Spec, digest_of, resolve
from reconciler.core.verdict import Judgement

Pairs = Mapping[ResourceId, Pair]


def creation(situation: Situation, resource: Resource, pairs: Pairs) -> Action:
    """Makes what is not there."""
    content = situation.kinds[resource.id.kind].content_addressed
    why = "no revision has this content yet" if content else "git has it and AWS does not"
    return Action(resource.id, Verb.CREATE, _birth(situation, resource, pairs, {}), why)


def succession(situation: Situation, judgement: Judgement, pairs: Pairs) -> Action:
    """Makes the successor of what cannot be changed while it serves."""
    resource, live = judgement.resource, judgement.live
    calls = _birth(situation, resource, pairs, {TAG_REPLACES: live.natural})
    if TAG_REPLACES in live.tags:  # it replaced one itself, which may have had its successor's name
        calls = (untag_call(situation.kinds[resource.id.kind].service, live.arn, [TAG_REPLACES]), *calls)
    why = f"{fields_of(judgement.replacing)} cannot be changed: a successor takes over while it serves"
    return Action(resource.id, Verb.CREATE, calls, why, judgement.replacing)


def _birth(situation: Situation, resource: Resource, pairs: Pairs, more: Mapping[str, str]) -> tuple[Call, ...]:
    """The calls that make an object. It is born as under way unless one call makes it whole."""
    kind = situation.kinds[resource.id.kind]
    spec = resolve(named(kind, resource, overlay(resource, pairs).spec), situation.lookup)
    ours = owner(situation.environment, resource) | dict(more)
    done = applied(situation.commit, resource)
    name = physical_name(kind, resource, situation.environment, spec)
    token = digest_of([ours, done, situation.now.isoformat()]).partition(":")[2] * 2
    whole = kind.create(Creation(resource.id, name, spec, ours | done, token))
    if len(whole) == 1 and not kind.rolls_out and not more:
        return whole
    mark = ours | applying(situation.commit, situation.now)
    calls = kind.create(Creation(resource.id, name, spec, mark, token))
    if kind.rolls_out or more:
        return calls
    arn = Ref(resource.id, "arn")
    return (*calls, *finish(kind, arn, resource, situation.commit, situation.environment, mark))


def adoption(situation: Situation, judgement: Judgement) -> Action:
    """Takes an object over by tags alone; whatever differs is the next pass's, as changes of git."""
    resource, live = judgement.resource, judgement.live
    under_way = applying(situation.commit, situation.now)
    rest = under_way if judgement.differences else applied(situation.commit, resource)
    tags = owner(situation.environment, resource) | rest
    call = tag_call(situation.kinds[resource.id.kind].service, live.arn, tags)
    return Action(resource.id, Verb.ADOPT, (call,), "its manifest says adopt: true", judgement.differences)


def change(situation: Situation, resource: Resource, judgement: Judgement, *, in_pair: bool) -> Action:
    """Writes the approved differences. `in_pair`: a replacement is under way, and its end records, not this."""
    kind, live = situation.kinds[resource.id.kind], judgement.live
    embedded = Comparison(kind, situation.kinds, situation.lookup).embedded(judgement.resource)
    target = _target(situation, kind, judgement, embedded)
    calls = kind.update(Change(resource.id, live, target, judgement.approved))
    starts = kind.rolls_out and any(item.effect is Effect.DEPLOYMENT for item in judgement.approved)
    if starts or len(calls) > 1:
        calls = (*begin(kind, live.arn, situation.commit, situation.now, live.tags), *calls)
    if not starts and not in_pair:
        tags = dict(live.tags) | (applying(situation.commit, situation.now) if len(calls) > 1 else {})
        calls = (*calls, *finish(kind, live.arn, resource, situation.commit, situation.environment, tags))
    notes = tuple(_carried(judgement, embedded))
    return Action(resource.id, Verb.UPDATE, calls, _why(judgement), judgement.approved, notes=notes)


def _target(situation: Situation, kind: Kind, judgement: Judgement, embedded: tuple[str, ...]) -> Spec:
    """What the object shall be in full: live, but for the approved differences; embedded content by its reference."""
    approved = judgement.approved
    own = [item for item in approved if item.path[0] not in embedded]
    target = patched(kind.prepare(judgement.live.spec), own, kind.table)
    touched = {item.path[0] for item in approved}
    target |= {path: judgement.resource.spec[path] for path in embedded if path in touched}
    resolved: Spec = resolve(target, situation.lookup)
    return resolved


def deletion_first(situation: Situation, judgement: Judgement) -> Action:
    """Deletes what a person allowed to be made anew; a later pass makes it."""
    kind = situation.kinds[judgement.resource.id.kind]
    why = f"{fields_of(judgement.replacing)} cannot be changed, and its manifest allows to replace it"
    return Action(judgement.resource.id, Verb.REPLACE, kind.delete(judgement.live), why, judgement.replacing)


def replaced(situation: Situation, pair: Pair) -> Action:
    """Deletes the old one of a pair."""
    why = f"its successor {pair.new.natural} has taken over"
    return Action(pair.id, Verb.DELETE, situation.kinds[pair.id.kind].delete(pair.old), why)


def failure(situation: Situation, resource: Resource, judgement: Judgement) -> Action:
    """Ends a failed rollout and holds its content back."""
    kind, live, rollout = situation.kinds[resource.id.kind], judgement.live, judgement.rollout
    calls = (*kind.abort(live, rollout), *quarantine(kind, live.arn, resource.digest))
    return Action(resource.id, Verb.QUARANTINE, calls, f"its rollout failed: {rollout.reason}")


def record(situation: Situation, resource: Resource, live: Live) -> Action:
    """Remembers that what runs is what git says: tags only."""
    kind = situation.kinds[resource.id.kind]
    calls = finish(kind, live.arn, resource, situation.commit, situation.environment, live.tags)
    return Action(resource.id, Verb.STAMP, calls, "what runs is what git says")


def fields_of(differences: Iterable[Difference]) -> str:
    return ", ".join(item.field for item in differences)


def _why(judgement: Judgement) -> str:
    causes = dict.fromkeys(item.cause.value for item in judgement.approved)
    count = len(judgement.approved)
    return f"{count} field{'s' if count > 1 else ''} {' and '.join(causes)}"


def _carried(judgement: Judgement, embedded: tuple[str, ...]) -> Iterable[str]:
    """What a call that replaces a whole object takes along."""
    for path in embedded:
        touched = any(item.path[0] == path for item in judgement.approved)
        left = [item for item in judgement.differences if item.path[0] == path and item not in judgement.approved]
        if touched and left:
            yield f"the new revision is what git says as a whole, so it also puts back {fields_of(left)}"
    if judgement.base_unknown:
        yield f"the causes are guesses: {judgement.base_unknown}"
    if any(item.effect is Effect.DEPLOYMENT for item in judgement.approved):
        yield "starts a new deployment"
