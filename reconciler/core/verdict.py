"""One owned resource, judged: how its rollout stands, which differences are written, which wait, and why.

The planner asks this for each resource and turns the answer into actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from reconciler.core.compare import Comparison
from reconciler.core.difference import Cause, Difference
from reconciler.core.fields import Effect, Removal
from reconciler.core.live import TAG_COMMIT, TAG_QUARANTINE, Live, Rollout, RolloutState
from reconciler.core.policy import Decision, Verdict, decide
from reconciler.core.replacement import Pair, overlay, takes_part
from reconciler.core.resource import Resource
from reconciler.core.situation import Situation
from reconciler.core.values import ResourceId, resolve


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one resource's observation means."""

    resource: Resource  # as it shall be now: with the overlay of a replacement that it takes part in
    live: Live
    differences: tuple[Difference, ...]
    decisions: Mapping[str, Decision]  # by the difference's field
    rollout: Rollout
    ours: bool  # the change under way has the same content as what is desired
    quarantined: bool  # what is desired is held back
    base_unknown: str  # why the causes cannot be told apart; empty when they can

    def with_verdict(self, *verdicts: Verdict) -> tuple[Difference, ...]:
        return tuple(item for item in self.differences if self.decisions[item.field].verdict in verdicts)

    @property
    def approved(self) -> tuple[Difference, ...]:
        """What is written now, replacements apart."""
        written = (item for item in self.with_verdict(Verdict.APPLY) if item.effect is not Effect.REPLACE)
        return tuple(item for item in written if not self._keeps(item) and item not in self.refused)

    @property
    def replacing(self) -> tuple[Difference, ...]:
        return tuple(item for item in self.with_verdict(Verdict.APPLY) if item.effect is Effect.REPLACE)

    @property
    def refused(self) -> tuple[Difference, ...]:
        """Fields that git dropped and that AWS cannot be without."""
        removed = (item for item in self.differences if item.cause is Cause.REMOVED)
        return tuple(item for item in removed if item.removed is Removal.REFUSE)

    @property
    def kept(self) -> tuple[Difference, ...]:
        """Fields that git dropped and whose live value stays."""
        return tuple(item for item in self.differences if self._keeps(item))

    @property
    def incidents(self) -> tuple[Difference, ...]:
        return tuple(item for item in self.differences if self.decisions[item.field].incident)

    @staticmethod
    def _keeps(difference: Difference) -> bool:
        return difference.cause is Cause.REMOVED and difference.removed is Removal.KEEP


def judge(
    situation: Situation, resource: Resource, live: Live, pairs: Mapping[ResourceId, Pair], comparison: Comparison
) -> Judgement:
    """Compare, find the causes, and decide by the policy."""
    shaped = overlay(resource, pairs)
    base, unknown = situation.base(resource, live)
    under_way = situation.at(live.applying, resource.id)
    untouched = TAG_COMMIT not in live.tags
    differences = comparison.differences(
        (shaped, situation.desired),
        live,
        base,
        under_way,
        situation.baselines.get(resource.id),
        untouched=untouched,
    )
    if takes_part(resource, pairs):
        differences = tuple(_of_replacement(item) for item in differences)
    if situation.desired.environment.sync.undeclared == "ignore":
        differences = tuple(item for item in differences if item.cause is not Cause.UNDECLARED)
    rollout = _rollout(situation, resource, live)
    stopped = situation.stopped(resource, live)
    age = situation.drift_ages.get(resource.id, timedelta(0))
    sync = situation.desired.environment.sync
    return Judgement(
        resource=shaped,
        live=live,
        differences=differences,
        decisions={
            item.field: decide(item, resource.id.kind, sync, situation.intent, stopped, age) for item in differences
        },
        rollout=rollout,
        ours=bool(live.applying) and (under_way is None or under_way[0].digest == resource.digest),
        quarantined=live.tags.get(TAG_QUARANTINE) == resource.digest,
        base_unknown="" if untouched else unknown,
    )


_MOVED = ("actions", "defaultActions", "loadBalancers")


def _of_replacement(difference: Difference) -> Difference:
    """The steps of a replacement are git's doing, wherever the last one was interrupted."""
    return replace(difference, cause=Cause.PENDING) if difference.path[0] in _MOVED else difference


def _rollout(situation: Situation, resource: Resource, live: Live) -> Rollout:
    kind = situation.kinds[resource.id.kind]
    if not (kind.rolls_out and live.applying):
        return Rollout(RolloutState.NONE)
    rollout = kind.rollout(live, resolve(resource.spec, situation.lookup))
    limit = resource.settings.timeout or situation.desired.environment.sync.timeout
    started = rollout.started or live.applying_since
    if rollout.state is RolloutState.RUNNING and started and situation.now - started > limit:
        minutes = int(limit.total_seconds() // 60)
        return replace(rollout, state=RolloutState.FAILED, reason=f"it took longer than {minutes} min")
    return rollout
