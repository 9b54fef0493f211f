"""A person's marks on live objects: hold, release, disown. Tags only, and only on what is ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from reconciler.core.call import Call
from reconciler.core.errors import ReconcilerError
from reconciler.core.hold import MAX_HOLD, write_hold
from reconciler.core.live import TAG_HOLD, TAG_PREFIX, TAG_QUARANTINE, Live
from reconciler.core.plan import Action, Plan, Verb, ordered
from reconciler.core.resource import Desired
from reconciler.core.tags import tag_call, untag_call
from reconciler.core.values import ABSENT, ResourceId
from reconciler.engine.execute import execute
from reconciler.engine.observe import Observation, observe
from reconciler.engine.passes import Engine
from reconciler.manifests.suggest import did_you_mean, listed

Marker = Callable[[ResourceId, Live], tuple[Call, ...]]


class NotOursError(ReconcilerError):
    """A mark is wanted on something that this environment does not own."""


def hold(engine: Engine, desired: Desired, targets: Iterable[ResourceId], span: timedelta, reason: str) -> Plan:
    """Nothing is written to the targets until the span is over. Raises ReconcilerError when it is longer than a day."""
    if not timedelta(0) < span <= MAX_HOLD:
        raise ReconcilerError("a hold lasts at most 24 h: it is a pause, not a policy. For longer, use mode: manual")
    if not reason.strip():
        raise ReconcilerError("a hold needs a reason, for those who wonder why nothing happens: --reason …")
    value = write_hold(engine.gate.now() + span, reason)

    def mark(identity: ResourceId, live: Live) -> tuple[Call, ...]:
        return (tag_call(engine.kinds[identity.kind].service, live.arn, {TAG_HOLD: value}),)

    return _mark(engine, desired, targets, mark, f"hold: {reason}")


def release(engine: Engine, desired: Desired, targets: Iterable[ResourceId]) -> Plan:
    """Ends holds and quarantines: what failed is tried once more."""

    def mark(identity: ResourceId, live: Live) -> tuple[Call, ...]:
        keys = [key for key in (TAG_HOLD, TAG_QUARANTINE) if key in live.tags]
        return (untag_call(engine.kinds[identity.kind].service, live.arn, keys),) if keys else ()

    return _mark(engine, desired, targets, mark, "release")


def disown(engine: Engine, desired: Desired, targets: Iterable[ResourceId]) -> Plan:
    """Removes our tags and touches nothing else: from then on the objects are not ours."""

    def mark(identity: ResourceId, live: Live) -> tuple[Call, ...]:
        keys = [key for key in live.tags if key.startswith(TAG_PREFIX)]
        return (untag_call(engine.kinds[identity.kind].service, live.arn, keys),)

    return _mark(engine, desired, targets, mark, "disown")


def _mark(engine: Engine, desired: Desired, targets: Iterable[ResourceId], mark: Marker, why: str) -> Plan:
    engine.gate.verify_account()
    seen = observe(desired, engine.kinds, engine.gate, engine.gate.now())
    actions: list[Action] = []
    for identity in targets:
        live = seen.claims.owned.get(identity)
        if live is None or engine.kinds[identity.kind].content_addressed:
            raise NotOursError(_not_ours(identity, engine, desired, seen))
        if calls := mark(identity, live):
            actions.append(Action(identity, Verb.TAG, calls, why))
    plan = Plan(desired.environment.tag, desired.commit, ordered(actions))
    outcome = execute(plan, engine.gate, lambda _ref: ABSENT, engine.on_action)
    if outcome.failures:
        done = [action.partition(":")[0] for action in outcome.applied]
        raise ReconcilerError(
            "; ".join(failure.message for failure in outcome.failures) + (f" (done: {', '.join(done)})" if done else "")
        )
    return plan


def _not_ours(identity: ResourceId, engine: Engine, desired: Desired, seen: Observation) -> str:
    """Why a mark cannot be set, and what to do."""
    kind = engine.kinds.get(identity.kind)
    if kind is None:
        return f"there is no kind {identity.kind}{did_you_mean(identity.kind, engine.kinds)}"
    if identity.kind in seen.unreadable:
        return seen.unreadable[identity.kind]
    if identity in seen.claims.refused:
        return f"{identity}: {seen.claims.refused[identity]}"
    if kind.content_addressed:
        return f"{identity} is content that others run, and carries no marks: name the resource that runs it"
    owned = sorted(str(one) for one in seen.claims.owned if one.kind == identity.kind)
    near = did_you_mean(str(identity), owned) or (f", which owns {listed(owned)}" if owned else "")
    return f"{identity} is nothing that {desired.environment.tag} owns in AWS{near}"
