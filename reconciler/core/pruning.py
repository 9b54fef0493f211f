"""Deleting: what git no longer has, slowed by brakes.

Only what is ours, and whose last manifest can be read and did not protect it, is deleted; only in a pass that could
read everything; never more than the environment allows for one commit, unless a person approved exactly this plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.core.hold import read_hold
from reconciler.core.kind import Kind
from reconciler.core.live import TAG_HOLD, Live
from reconciler.core.plan import Action, Held, Verb
from reconciler.core.policy import Intent
from reconciler.core.situation import Situation
from reconciler.core.values import ResourceId, digest_of


def orphans(situation: Situation) -> dict[ResourceId, Live]:
    """What is ours and no longer in git."""
    kept = set(situation.desired.resources) | set(situation.claims.renamed.values())
    return {
        identity: live
        for identity, live in situation.claims.owned.items()
        if identity not in kept and not situation.kinds[identity.kind].content_addressed
    }


def deletions_digest(identities: Iterable[ResourceId]) -> str:
    """What a person approves: exactly these deletions."""
    return digest_of(sorted(map(str, identities)), version="d1")


def prune(situation: Situation) -> tuple[list[Action], list[Held], tuple[ResourceId, ...]]:
    """The deletions that may happen now, those held back with the reason, and all that are wanted."""
    gone, claims = orphans(situation), situation.claims
    sync = situation.desired.environment.sync
    if not sync.prune:
        held = [Held(identity, "git no longer has it, and the environment does not prune") for identity in gone]
        return [], held, ()
    unclear = sorted(claims.refused.keys() - situation.desired.resources.keys())
    held = [Held(identity, claims.refused[identity], blocked=True) for identity in unclear]
    wanted: dict[ResourceId, Live] = {}
    for identity, live in gone.items():
        if reason := _kept_because(situation, identity, live):
            held.append(Held(identity, reason, blocked=True))
        else:
            wanted[identity] = live
    if wanted and (brake := _brake(situation, wanted, len(gone) - len(_protected(situation, gone)))):
        return [], held + [Held(identity, *brake, blocked=True) for identity in wanted], tuple(wanted)
    actions, waiting = _deletions(situation, wanted)
    return actions, held + waiting, tuple(wanted)


def _kept_because(situation: Situation, identity: ResourceId, live: Live) -> str:
    cluster = next((one for one in situation.claims.owned.values() if _is_its_cluster(one, live)), live)
    for holder in (live, cluster):
        if not situation.forced and (hold := read_hold(holder.tags.get(TAG_HOLD), situation.now)):
            return str(hold)
    if (newer := situation.ahead(live)) and not situation.named_commit:
        return f"commit {newer[:10]}, which it has, is no ancestor of this one"
    return _protected(situation, {identity: live}).get(identity, "")


def _protected(situation: Situation, gone: Mapping[ResourceId, Live]) -> dict[ResourceId, str]:
    """What may not be deleted whatever a person says, with the reason."""
    reasons: dict[ResourceId, str] = {}
    for identity, live in gone.items():
        last = situation.last(live, identity)
        if last is None:
            reasons[identity] = "its last manifest cannot be read, so nobody can tell whether it is protected"
        elif last.settings.protect:
            reasons[identity] = "its last manifest says protect: true"
    return reasons


def _is_its_cluster(one: Live, live: Live) -> bool:
    """A hold on a cluster holds all that is in it; what git no longer has no longer refers to it."""
    return one.kind == "Cluster" and "cluster" in live.spec and live.spec["cluster"] in (one.natural, one.arn)


def _brake(situation: Situation, wanted: Mapping[ResourceId, Live], count: int) -> tuple[str, str] | None:
    """Why the wanted deletions wait, and what to do. `count` has those that a hold delays: this commit's as well."""
    digest = deletions_digest(wanted)
    approve = f"look at the list, then `reconciler approve {digest}`"
    if situation.unreadable:
        return ("something could not be read, and only a pass that has seen everything deletes", "run it again")
    if situation.denied and not situation.forced:
        return situation.denied, "wait, or `reconciler sync --force --reason …`"
    if situation.intent is not Intent.ORDER and situation.desired.environment.sync.mode != "auto":
        return "the environment is in manual mode", "`reconciler sync` deletes it"
    if situation.destroying or situation.approved == digest:
        return None
    if not situation.desired.resources:
        return "the commit has no resources at all, which is more likely a mistake than a wish", approve
    limit = situation.desired.environment.sync.max_deletions
    if count > limit:
        return f"the commit deletes {count} resources, and the environment allows {limit}", approve
    return None


def _deletions(situation: Situation, wanted: Mapping[ResourceId, Live]) -> tuple[list[Action], list[Held]]:
    """Deletes users before what they use; what leaves slowly (a service) is waited for."""
    why = "the environment is destroyed" if situation.destroying else "git no longer has it"
    actions: list[Action] = []
    waiting: list[Held] = []
    for identity, live in wanted.items():
        users = [other for other in wanted if _uses(situation.kinds, other.kind, identity.kind)]
        slow = next((user for user in users if situation.kinds[user.kind].rolls_out), None)
        if live.facts.get("leaving"):
            waiting.append(Held(identity, "it is draining, and gone in a moment"))
        elif slow:
            waiting.append(Held(identity, f"deleted after {slow} is gone"))
        else:
            calls = situation.kinds[identity.kind].delete(live)
            edges = tuple(f"{user}:{Verb.DELETE.value}" for user in users)
            actions.append(Action(identity, Verb.DELETE, calls, why, after=edges))
    return actions, waiting


def _uses(kinds: Mapping[str, Kind], user: str, used: str) -> bool:
    """Whether a kind can refer to another, directly or through others."""
    seen: set[str] = set()
    front = {user}
    while front:
        seen |= front
        front = {ref.kind for name in front for ref in kinds[name].references if ref.kind in kinds} - seen
    return user != used and used in seen
