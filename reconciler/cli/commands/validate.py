"""`validate`, `render`, `schema` and `graph`: what the manifests say, without AWS."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text
from rich.tree import Tree

from reconciler.cli.context import workspace
from reconciler.cli.markdown import code, text
from reconciler.cli.options import RESULT, CommitRev, EnvironmentName, Output, OutputAs, Repo, place
from reconciler.cli.output import emit, out, safe, show, to_json, to_yaml
from reconciler.core.compare import named
from reconciler.core.errors import InvalidManifestsError, Problem, ReconcilerError
from reconciler.core.masking import masked, masked_text
from reconciler.core.resource import Desired, Resource, users_of
from reconciler.core.values import Json, ResourceId, plain

if TYPE_CHECKING:
    from reconciler.manifests.source import Source


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
    """Check every manifest of every environment; needs no AWS. Without --commit a local folder is checked as it stands.

    Exit codes: 0 valid, 1 not valid, or error.
    """
    from reconciler.engine.render import CommitSource
    from reconciler.manifests.source import FolderSource

    folder = Path(repo)
    try:
        if commit is None and folder.is_dir() and (folder / "reconciler.yaml").is_file():
            found = _check(FolderSource(folder), environment)
        else:
            with workspace(place(repo, environment, commit)) as work:
                at = work.repository.commit(commit or "HEAD").id
                found = _check(CommitSource(work.repository, at), environment)
    except InvalidManifestsError as error:
        if output is Output.TABLE:
            raise
        told = _told(error)
        emit(output, {"valid": False, "environments": [], "problems": _problems(error)}, str, lambda: told)
        raise typer.Exit(1) from error
    data = [
        {
            "environment": desired.environment.name,
            "resources": len(desired.resources),
            "warnings": list(desired.warnings),
        }
        for desired in found
    ]
    lines = [_line(desired) for desired in found]
    emit(
        output,
        {"valid": True, "environments": data, "problems": []},
        lambda: Text("\n".join(lines), "green"),
        lambda: "\n".join(f"- {text(line)}" for line in lines),
    )


def _problems(error: InvalidManifestsError) -> list[Json]:
    return [
        {
            "path": problem.path,
            "line": problem.line,
            "column": problem.column,
            "field": problem.field,
            "message": masked_text(problem.message),
        }
        for problem in error.problems
    ]


def _told(error: InvalidManifestsError) -> str:
    places = [(f"{one.path}:{one.line}" if one.line else one.path, one) for one in error.problems]
    return "\n".join(f"- {code(place)}: {code(one.field)} {text(one.message)}" for place, one in places)


def _line(desired: Desired) -> str:
    notes = "".join(f"\n  note: {safe(warning)}" for warning in desired.warnings)
    count = len(desired.resources)
    return f"✓ {desired.environment.name}: {count} resource{'' if count == 1 else 's'}{notes}"


def _check(source: Source, environment: str | None) -> list[Desired]:
    from reconciler.kinds import KINDS
    from reconciler.manifests.installation import installation
    from reconciler.manifests.load import render as render_environment
    from reconciler.manifests.schemas import committed

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
    output: Annotated[
        Output, typer.Option("--output", "-o", help="yaml or json.", rich_help_panel=RESULT)
    ] = Output.YAML,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Print what looks like a secret as git has it.", rich_help_panel=RESULT)
    ] = False,
) -> None:
    """Print the resources of an environment after layers and variables, references still symbolic.

    The result is made of manifests again. Exit codes: 0 printed, 1 not valid, or error.
    """
    if output not in (Output.YAML, Output.JSON):
        raise ReconcilerError(f"manifests are YAML or JSON, not {output.value}: --output yaml")
    with workspace(place(repo, environment, commit)) as work:
        documents = [_document(resource) for resource in work.desired().resources.values()]
    if not reveal:
        documents = [masked(document) for document in documents]
    print(to_json(documents) if output is Output.JSON else to_yaml(*documents).rstrip())  # noqa: T201  # the result


def _document(resource: Resource) -> Json:
    from reconciler.kinds import KINDS

    metadata = {"name": resource.id.name} | ({"labels": dict(resource.labels)} if resource.labels else {})
    spec = named(KINDS[resource.id.kind], resource, resource.spec)
    return {"apiVersion": "reconciler/v1", "kind": resource.id.kind, "metadata": metadata, "spec": plain(spec)}


def schema(
    kind: Annotated[
        str | None,
        typer.Argument(metavar="KIND", help="Without one, the schema of every manifest.", show_default=False),
    ] = None,
) -> None:
    """Print a JSON Schema, for editors.

    Exit codes: 0 printed, 1 no such kind.
    """
    from reconciler.kinds import KINDS
    from reconciler.manifests.schemas import read_committed

    if kind is not None and kind not in ("Environment", *KINDS):
        raise ReconcilerError(f"there is no kind {kind}; there are: {', '.join(['Environment', *KINDS])}")
    print(json.dumps(read_committed(kind or "manifest"), indent=2, ensure_ascii=False))  # noqa: T201  # the result


def graph(
    repo: Repo = ".",
    environment: EnvironmentName = None,
    commit: CommitRev = None,
    drawing: Annotated[
        Drawing, typer.Option("--format", "-f", help="How it is drawn.", rich_help_panel=RESULT)
    ] = Drawing.TREE,
) -> None:
    """Draw what depends on what: each resource that nothing needs, with what it needs below it.

    Exit codes: 0 drawn, 1 not valid, or error.
    """
    with workspace(place(repo, environment, commit)) as work:
        desired = work.desired()
    edges = edges_of(desired)
    match drawing:
        case Drawing.TREE:
            show(out(), tree_of(desired, edges))
        case Drawing.MERMAID:
            print("\n".join(_mermaid(desired, edges)))  # noqa: T201  # the result
        case Drawing.DOT:
            print("\n".join(_dot(desired, edges)))  # noqa: T201  # the result


Edges = Mapping[ResourceId, tuple[ResourceId, ...]]


def edges_of(desired: Desired) -> Edges:
    """For each resource what it needs: what it refers to, and what AWS implies."""
    from reconciler.kinds import KINDS

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
    branch = tree.add(Text(safe(str(identity))))
    for one in sorted(edges[identity]):
        _grow(branch, one, edges)


def _mermaid(desired: Desired, edges: Edges) -> Iterable[str]:
    numbers = {identity: f"n{index}" for index, identity in enumerate(desired.resources)}
    yield "graph TD"
    for identity, number in numbers.items():
        yield f'  {number}["{mermaid_text(identity)}"]'
    for identity, targets in edges.items():
        for target in targets:
            yield f"  {numbers[identity]} --> {numbers[target]}"


def mermaid_text(identity: ResourceId) -> str:
    """Inside quotes Mermaid knows entities only: what could end the quotes or be HTML becomes one."""
    return "".join(letter if letter.isalnum() or letter in "/-_. " else f"#{ord(letter)};" for letter in str(identity))


def dot_text(value: object) -> str:
    """Inside the quotes of DOT."""
    return safe(str(value)).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _dot(desired: Desired, edges: Edges) -> Iterable[str]:
    yield f'digraph "{dot_text(desired.environment.name)}" {{'
    yield "  rankdir=LR; node [shape=box];"
    for identity in desired.resources:
        yield f'  "{dot_text(identity)}";'
    for identity, targets in edges.items():
        for target in targets:
            yield f'  "{dot_text(identity)}" -> "{dot_text(target)}";'
    yield "}"


def register(app: typer.Typer) -> None:
    for command in (validate, render, schema, graph):
        app.command()(command)
