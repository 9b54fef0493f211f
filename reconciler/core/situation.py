"""Everything a plan is made from, as one value: what is desired, what was observed, who asks, and what is allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.core.hold import Hold, read_hold
from reconciler.core.kind import Kind
from reconciler.core.live import TAG_COMMIT, TAG_DIGEST, TAG_HOLD, Live
from reconciler.core.ownership import Claims
from reconciler.core.policy import Intent
from reconciler.core.resource import Desired, Resource
from reconciler.core.values import ABSENT, Json, Ref, ResourceId, Spec

Renderer = Callable[[str], Desired | None]
"""The environment as another commit renders it; None when that commit cannot be had or does not validate."""


@dataclass(frozen=True)
class Situation:
    """The input of the planner. The callables are pure for the time of a pass."""

    desired: Desired
    kinds: Mapping[str, Kind]
    claims: Claims
    now: datetime
    intent: Intent
    render: Renderer
    is_ancestor: Callable[[str], bool]  # of the commit that is applied
    denied: str = ""  # the sync window that forbids writes now
    forced: str = ""  # a person's reason to go against holds and windows
    named_commit: bool = False  # a person named this commit: it may be older than what runs
    approved: str = ""  # the digest of a plan whose deletions a person approved
    destroying: bool = False  # a person typed the environment's name: everything of ours goes, but what is protected
    unreadable: Mapping[str, str] = field(default_factory=dict)  # kind → why it could not be read
    drift_ages: Mapping[ResourceId, timedelta] = field(default_factory=dict)
    baselines: Mapping[ResourceId, Spec] = field(default_factory=dict)
    history: Callable[[str], Iterable[str]] = lambda commit: (commit,)
    """The commits from this one back to the given one, newest first: both, and those between that may render else."""

    @property
    def environment(self) -> str:
        return self.desired.environment.tag

    @property
    def commit(self) -> str:
        return self.desired.commit

    def unread(self, resource: Resource) -> str:
        """Why nothing can be said of a resource in this pass: it, or what it refers to, could not be read."""
        if why := self.unreadable.get(resource.id.kind):
            return why
        names = {
            ref.target.kind for ref in resource.references if ref.environment in (None, self.desired.environment.name)
        }
        name = next((name for name in sorted(names) if name in self.unreadable), None)
        return f"{name}, which it refers to, could not be read: {self.unreadable[name]}" if name else ""

    def lookup(self, ref: Ref) -> Json:
        """What AWS knows of a reference's target, be it ours already or about to be."""
        if ref.environment not in (None, self.desired.environment.name):
            return ABSENT
        live = self.claims.owned.get(ref.target) or self.claims.adoptable.get(ref.target)
        return ABSENT if live is None else live.attributes.get(ref.attribute, ABSENT)

    def at(self, commit: str | None, identity: ResourceId) -> tuple[Resource, Desired] | None:
        """The resource as a commit renders it."""
        desired = self.desired if commit == self.commit else self.render(commit) if commit else None
        resource = desired.resources.get(identity) if desired else None
        return (resource, desired) if resource and desired else None

    def last(self, live: Live, identity: ResourceId) -> Resource | None:
        """The last manifest of what git no longer has: its settings may be newer than the commit that was applied."""
        commits = self.history(live.tags[TAG_COMMIT]) if TAG_COMMIT in live.tags else ()
        renderings = (self.render(commit) for commit in commits)
        return next((made.resources[identity] for made in renderings if made and identity in made.resources), None)

    def base(self, resource: Resource, live: Live) -> tuple[tuple[Resource, Desired] | None, str]:
        """What was last applied in full, or None with the reason why nobody can tell."""
        commit, digest = live.tags.get(TAG_COMMIT), live.tags.get(TAG_DIGEST)
        if digest == resource.digest:
            return (resource, self.desired), ""
        if commit is None:
            return None, "it was never applied in full"
        found = self.at(commit, self.claims.renamed.get(resource.id, resource.id))
        if found is None:
            return None, f"commit {commit[:10]}, which was applied last, cannot be had or does not have it"
        if found[0].digest != digest:
            return None, f"commit {commit[:10]} renders to {found[0].digest}, but {digest} was applied"
        return found, ""

    def ahead(self, live: Live) -> str | None:
        """A commit that was applied to the object, or is being, and that this commit does not follow."""
        commits = {live.applying, live.tags.get(TAG_COMMIT)}
        return next((one for one in sorted(filter(None, commits)) if not self.is_ancestor(one)), None)

    def hold(self, resource: Resource, live: Live | None) -> Hold | None:
        """The hold on the resource itself or on the cluster that it is in."""
        clusters = (self.claims.owned.get(ref.target) for ref in resource.references if ref.target.kind == "Cluster")
        for held in (live, *clusters):
            if held and (hold := read_hold(held.tags.get(TAG_HOLD), self.now)):
                return hold
        return None

    def stopped(self, resource: Resource, live: Live | None) -> str:
        """Why nothing may be written to the resource now; empty when it may be."""
        if self.forced:
            return ""
        hold = self.hold(resource, live)
        return str(hold) if hold else self.denied
