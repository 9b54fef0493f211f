"""Assessment: the statuses that people see, from the plan, the judgements behind it, and what became of the writes."""

from __future__ import annotations

from datetime import timedelta

from reconciler.core.difference import Cause, Difference
from reconciler.core.live import TAG_QUARANTINE, Health, HealthState, Live, RolloutState
from reconciler.core.plan import Action, Held, Verb
from reconciler.core.planner import Planned
from reconciler.core.report import Operation, ResourceStatus, SyncState
from reconciler.core.resource import Resource
from reconciler.core.situation import Situation
from reconciler.core.values import Json, ResourceId
from reconciler.core.verdict import Judgement
from reconciler.engine.execute import Outcome

SOON = timedelta(seconds=5)  # while something of ours is under way
DONE = {
    Verb.CREATE: "created",
    Verb.UPDATE: "updated",
    Verb.ADOPT: "adopted",
    Verb.REPLACE: "deleted, to be made anew",
    Verb.QUARANTINE: "put in quarantine",
    Verb.STAMP: "recorded",
    Verb.DELETE: "deleted",
    Verb.TAG: "marked",
}
LATER = timedelta(minutes=1)  # after a failure that may pass


def assess(situation: Situation, planned: Planned, outcome: Outcome | None) -> dict[ResourceId, ResourceStatus]:
    """A status for each desired resource, and for each of ours that git no longer has."""
    actions = {action.resource: action for action in planned.plan.actions}
    held = {item.resource: item for item in planned.plan.held}
    statuses: dict[ResourceId, ResourceStatus] = {}
    for identity, resource in situation.desired.resources.items():
        live = situation.claims.owned.get(identity) or situation.claims.adoptable.get(identity)
        judgement = planned.judgements.get(identity)
        statuses[identity] = _status(
            situation, resource, live, judgement, actions.get(identity), held.get(identity), outcome
        )
    for identity in [one for one in (*actions, *held) if one not in statuses]:
        live = situation.claims.owned.get(identity)
        statuses[identity] = ResourceStatus(
            identity,
            SyncState.OUT_OF_SYNC,
            situation.kinds[identity.kind].health(live) if live else Health(HealthState.MISSING),
            operation=_operation(actions.get(identity), outcome),
            message=held[identity].reason if identity in held else "git no longer has it",
            next=held[identity].next if identity in held else "",
            arn=live.arn if live else "",
        )
    return statuses


def _status(
    situation: Situation,
    resource: Resource,
    live: Live | None,
    judgement: Judgement | None,
    action: Action | None,
    held: Held | None,
    outcome: Outcome | None,
) -> ResourceStatus:
    unreadable = situation.unread(resource)
    quarantined = bool(live and live.tags.get(TAG_QUARANTINE) == resource.digest)
    if action is not None and action.verb is Verb.QUARANTINE:
        quarantined = True
    health = _health(situation, resource, live, judgement, quarantined=quarantined)
    differences = judgement.differences if judgement else ()
    return ResourceStatus(
        id=resource.id,
        sync=_sync(unreadable, live, differences, held),
        health=Health(HealthState.UNKNOWN, unreadable) if unreadable else health,
        operation=_operation(action, outcome, rollout=judgement.rollout.state if judgement else RolloutState.NONE),
        differences=differences,
        message=_message(judgement, action, held, outcome),
        next=held.next if held else "",
        quarantined=quarantined,
        hold=str(situation.hold(resource, live) or ""),
        arn=live.arn if live else "",
        facts=_facts(live),
        part_of=resource.part_of,
        parents=tuple(dict.fromkeys(ref.target for ref in resource.references)),
    )


def _facts(live: Live | None) -> dict[str, Json]:
    return {**live.facts, **live.attributes} if live else {}


def _sync(unreadable: str, live: Live | None, differences: tuple[Difference, ...], held: Held | None) -> SyncState:
    if unreadable:
        return SyncState.UNKNOWN
    declared = any(item.cause is not Cause.UNDECLARED for item in differences)
    out = live is None or declared or (held is not None and held.blocked)
    return SyncState.OUT_OF_SYNC if out else SyncState.SYNCED


def _health(
    situation: Situation, resource: Resource, live: Live | None, judgement: Judgement | None, *, quarantined: bool
) -> Health:
    if live is None:
        unclear = resource.id in situation.claims.refused
        return Health(HealthState.UNKNOWN if unclear else HealthState.MISSING)
    health = situation.kinds[resource.id.kind].health(live)
    if quarantined:
        return Health(HealthState.DEGRADED, f"the rollout of this content failed; {health.reason}".rstrip("; "))
    if judgement and judgement.ours and judgement.rollout.state is RolloutState.FAILED:
        return Health(HealthState.DEGRADED, judgement.rollout.reason)
    return health


def _operation(
    action: Action | None, outcome: Outcome | None, *, rollout: RolloutState = RolloutState.NONE
) -> Operation:
    if rollout is RolloutState.RUNNING:
        return Operation.RUNNING
    if action is None or outcome is None or action.silent:
        return Operation.NONE
    if action.id in outcome.applied:
        return Operation.SUCCEEDED
    return Operation.FAILED


def _message(
    judgement: Judgement | None,
    action: Action | None,
    held: Held | None,
    outcome: Outcome | None,
) -> str:
    if outcome and action:
        failure = next((one for one in outcome.failures if one.action == action.id), None)
        if failure:
            return failure.message
        if action.id in outcome.applied and not action.silent:
            return f"{DONE[action.verb]}: {action.why}"
        if action.id in outcome.skipped:
            return "not started, because what it depends on failed"
    if held:
        return held.reason
    if judgement and judgement.incidents and not action:
        guesses = f"the causes are guesses: {judgement.base_unknown}" if judgement.base_unknown else ""
        reasons = dict.fromkeys([*(judgement.decisions[item.field].why for item in judgement.incidents), guesses])
        return "; ".join(reason for reason in reasons if reason)
    if judgement and judgement.rollout.state is RolloutState.RUNNING:
        return judgement.rollout.reason
    return action.why if action and not action.silent else ""


def look_again(
    planned: Planned, outcome: Outcome | None, statuses: dict[ResourceId, ResourceStatus]
) -> timedelta | None:
    """When the next pass is worth making without news from git or AWS; None: not at all.

    What waits for an action (a dependant, a later wave) has no time of its own: after a terminal failure it waits for
    the commit or the permission that ends that, and asking AWS every few seconds would change nothing.
    """
    if outcome and outcome.applied:
        return SOON
    if outcome and any(failure.retry != "terminal" for failure in outcome.failures):
        return SOON
    if planned.moving or any(status.health.state is HealthState.PROGRESSING for status in statuses.values()):
        return SOON
    if any(status.sync is SyncState.UNKNOWN for status in statuses.values()):
        return LATER
    delays = (item.after for judgement in planned.judgements.values() for item in judgement.decisions.values())
    return min((delay for delay in delays if delay), default=None)
