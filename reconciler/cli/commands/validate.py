"""`validate`, `render`, `schema` and `graph`: what the manifests say, without AWS."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.text import Text
from rich.tree import Tree

from reconciler.cli.context import workspace
from reconciler.cli.options import CommitRev, EnvironmentName, Output, OutputAs, Repo, place
from reconciler.cli.output import emit, out
from reconciler.core.compare import named
from reconciler.core.errors import InvalidManifestsError, Problem, ReconcilerError
from reconciler.core.resource import Desired, Resource, users_of
from reconciler.core.values import Json, ResourceId, plain
from reconciler.engine.render import CommitSource
from reconciler.kinds import KINDS
from reconciler.manifests.installation import installation
from reconciler.manifests.load import render as render_environment
from reconciler.manifests.schemas import committed, read_committed
from reconciler.manifests.source import FolderSource, Source


class Drawing(enum.StrEnum):
    """How the graph is drawn."""

    TREE = "tree"
    MERMAID = "mermaid"
    DOT = "dot"


def validate(
    repo: Repo = ".",
    environment: EnvironmentName = None,
    commit: CommitRev = None,
    output: OutputAs = Output.TABLE,
) -> None:
    """Check every manifest of every environment. Without --commit a local folder is checked as it stands."""
    folder = Path(repo)
    if commit is None and folder.is_dir() and (folder / "reconciler.yaml").is_file():
        found = _check(FolderSource(folder), environment)
    else:
        with workspace(place(repo, environment, commit)) as work:
            found = _check(CommitSource(work.repository, work.repository.commit(commit or "HEAD").id), environment)
    data = [
        {
            "environment": desired.environment.name,
            "resources": len(desired.resources),
            "warnings": list(desired.warnings),
        }
        for desired in found
    ]
    emit(output, data, lambda: Text("\n".join(_line(desired) for desired in found)))


def _line(desired: Desired) -> str:
    notes = "".join(f"\n  note: {warning}" for warning in desired.warnings)
    return f"✓ {desired.environment.name}: {len(desired.resources)} resources{notes}"


def _check(source: Source, environment: str | None) -> list[Desired]:
    schemas = committed()
    found = installation(source, schemas)
    if environment is None and found.problems:
        raise InvalidManifestsError(found.problems)
    names = [environment] if environment else sorted(found.environments)
    problems: list[Problem] = []
    rendered: list[Desired] = []
    for name in names:
        try:
            rendered.append(render_environment(source, KINDS, found, found.environment(name), schemas=schemas))
        except InvalidManifestsError as error:
            problems += error.problems
    if problems:
        raise InvalidManifestsError(tuple(dict.fromkeys(problems)))
    return rendered


def render(
    repo: Repo = ".",
    environment: EnvironmentName = None,
    commit: CommitRev = None,
    output: OutputAs = Output.YAML,
) -> None:
    """Print the resources of an environment after layers and variables, references still symbolic."""
    with workspace(place(repo, environment, commit)) as work:
        documents = [_document(resource) for resource in work.desired().resources.values()]
    if output is Output.JSON:
        emit(output, documents, str)
    else:
        text = yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True)
        out().print(text, end="", markup=False, soft_wrap=True)


def _document(resource: Resource) -> Json:
    metadata = {"name": resource.id.name} | ({"labels": dict(resource.labels)} if resource.labels else {})
    spec = named(KINDS[resource.id.kind], resource, resource.spec)
    return {"apiVersion": "reconciler/v1", "kind": resource.id.kind, "metadata": metadata, "spec": plain(spec)}


def schema(
    kind: Annotated[str | None, typer.Argument(help="A kind; without one, the schema of every manifest.")] = None,
) -> None:
    """Print a JSON Schema, for editors."""
    if kind is not None and kind not in ("Environment", *KINDS):
        raise ReconcilerError(f"there is no kind {kind}; there are: {', '.join(['Environment', *KINDS])}")
    text = json.dumps(read_committed(kind or "manifest"), indent=2, ensure_ascii=False)
    out().print(text, markup=False, soft_wrap=True)


def graph(
    repo: Repo = ".",
    environment: EnvironmentName = None,
    commit: CommitRev = None,
    drawing: Annotated[Drawing, typer.Option("--format", "-f", help="How it is drawn.")] = Drawing.TREE,
) -> None:
    """Draw what depends on what."""
    with workspace(place(repo, environment, commit)) as work:
        desired = work.desired()
    edges = edges_of(desired)
    match drawing:
        case Drawing.TREE:
            out().print(tree_of(desired, edges))
        case Drawing.MERMAID:
            out().print("\n".join(_mermaid(desired, edges)), markup=False)
        case Drawing.DOT:
            out().print("\n".join(_dot(desired, edges)), markup=False)


Edges = Mapping[ResourceId, tuple[ResourceId, ...]]


def edges_of(desired: Desired) -> Edges:
    """For each resource what it needs: what it refers to, and what AWS implies."""
    users = users_of(desired.resources)
    return {
        identity: tuple(
            dict.fromkeys(
                one
                for one in (
                    *(ref.target for ref in resource.references),
                    *KINDS[identity.kind].after(resource, users),
                )
                if one in desired.resources
            )
        )
        for identity, resource in desired.resources.items()
    }


def tree_of(desired: Desired, edges: Edges) -> Tree:
    """Each resource that nothing needs, with what it needs below it."""
    environment = desired.environment
    root = Tree(Text(f"{environment.name}  {environment.account} {environment.region}", "bold"), guide_style="dim")
    needed = {one for targets in edges.values() for one in targets}
    for identity in sorted(set(edges) - needed):
        _grow(root, identity, edges)
    return root


def _grow(tree: Tree, identity: ResourceId, edges: Edges) -> None:
    branch = tree.add(Text(str(identity)))
    for one in sorted(edges[identity]):
        _grow(branch, one, edges)


def _mermaid(desired: Desired, edges: Edges) -> Iterable[str]:
    numbers = {identity: f"n{index}" for index, identity in enumerate(desired.resources)}
    yield "graph TD"
    for identity, number in numbers.items():
        yield f'  {number}["{identity}"]'
    for identity, targets in edges.items():
        for target in targets:
            yield f"  {numbers[identity]} --> {numbers[target]}"


def _dot(desired: Desired, edges: Edges) -> Iterable[str]:
    yield f'digraph "{desired.environment.name}" {{'
    yield "  rankdir=LR; node [shape=box];"
    for identity in desired.resources:
        yield f'  "{identity}";'
    for identity, targets in edges.items():
        for target in targets:
            yield f'  "{identity}" -> "{target}";'
    yield "}"


def register(app: typer.Typer) -> None:
    for command in (validate, render, schema, graph):
        app.command()(command)
