"""What must be there before what: cycles, and waves that contradict the references.

`load` asks it when every reference is known. The plan has edges of its own; here only mistakes that a person can mend
are looked for, and reported at the reference that closes the circle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from reconciler.core.errors import Problem
from reconciler.core.resource import Resource, users_of
from reconciler.core.values import ResourceId
from reconciler.manifests.drafts import Draft

Edges = Mapping[ResourceId, Sequence[ResourceId]]


def edges_of(drafts: Mapping[ResourceId, Draft]) -> dict[ResourceId, tuple[ResourceId, ...]]:
    """For each resource those it refers to in its own environment."""
    return {
        identity: tuple(dict.fromkeys(ref.target for _, ref in draft.refs if ref.target in drafts))
        for identity, draft in drafts.items()
    }


def order(edges: Edges) -> tuple[list[ResourceId], list[list[ResourceId]]]:
    """The resources with each after those it refers to, and every cycle that is met, first and last alike."""
    done: dict[ResourceId, None] = {}
    cycles: list[list[ResourceId]] = []
    for start in edges:
        path: dict[ResourceId, Iterator[ResourceId]] = {}
        _enter(start, edges, done, path)
        while path:
            current = next(reversed(path))
            following = next(path[current], None)
            if following is None:
                del path[current]
                done[current] = None
            elif following in path:
                names = list(path)
                cycles.append([*names[names.index(following) :], following])
            else:
                _enter(following, edges, done, path)
    return list(done), cycles


def _enter(
    identity: ResourceId, edges: Edges, done: Mapping[ResourceId, None], path: dict[ResourceId, Iterator[ResourceId]]
) -> None:
    if identity not in done:
        path[identity] = iter(edges[identity])


def cycle_problem(cycle: Sequence[ResourceId], drafts: Mapping[ResourceId, Draft]) -> Problem:
    """The cycle in words, at the reference with which it begins."""
    draft = drafts[cycle[0]]
    steps = next(steps for steps, ref in draft.refs if ref.target == cycle[1])
    if len(cycle) == 2:
        return draft.problem(steps, f"{cycle[0]} refers to itself")
    return draft.problem(steps, "these wait for each other: " + " → ".join(str(identity) for identity in cycle))


def wave_problems(
    resources: Mapping[ResourceId, Resource], drafts: Mapping[ResourceId, Draft], report: Callable[[Problem], None]
) -> None:
    """Report each resource that needs one of a later wave, by a reference or by what AWS implies."""
    last = max((resource.settings.wave for resource in resources.values()), default=0)
    users = users_of(resources)
    for identity, resource in resources.items():
        if resource.settings.wave == last:
            continue  # nothing is later
        draft = drafts[identity]
        needed = {ref.target: steps for steps, ref in reversed(draft.refs)}
        for implied in draft.kind.after(resource, users):
            needed.setdefault(implied, ())
        for target, steps in needed.items():
            later = resources.get(target)
            wave = resource.settings.wave
            if later is not None and later.settings.wave > wave:
                message = (
                    f"{identity} is in wave {wave} and needs {target}, which is in the later wave {later.settings.wave}"
                )
                report(draft.problem(steps, message))
