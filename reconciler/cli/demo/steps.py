"""The six steps of the tour, in their order; each yields what it claims once it has verified that."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from rich.console import Group

from reconciler.cli.demo.failure import require
from reconciler.cli.demo.glance import Snapshot
from reconciler.cli.demo.hand import by_hand
from reconciler.cli.demo.search import PATH, SEARCH
from reconciler.cli.demo.shop import ENVIRONMENT_FILE
from reconciler.cli.demo.tour import Claims, Step, Tour
from reconciler.cli.output import problem_line
from reconciler.core.call import Call
from reconciler.core.difference import Cause
from reconciler.core.live import HealthState

FIRST, SECOND, BROKEN, FIXED = "1.4.2", "1.5.0", "1.6.0-crash", "1.6.1"
WEB_IMAGE: Final = "registry.example/shop/web:"
HELD_PASSES: Final = 5


def first_sync(tour: Tour) -> Claims:
    require(not tour.plan(calls=False).plan.empty, "the first plan has nothing to do")
    report = tour.see_through()
    made = len(tour.stage.writes())
    yield f"{len(report.statuses)} resources were made with {made} calls; all are Synced and Healthy"
    for name in ("api", "web"):
        view = tour.service(name)
        require(tour.healthy_targets(name) == view.desired, f"not every task of {name} is a healthy target: {view}")
    yield "every task of api and web is a healthy target of the load balancer, each on a port of its own"
    again = tour.stage.run()
    require(again.plan.empty and len(tour.stage.writes()) == made, "a second pass found something to do")
    yield "a second pass finds nothing to do and writes nothing: what git says is what runs"


def release(tour: Tour) -> Claims:
    tour.shop.edit(ENVIRONMENT_FILE, f"image_tag: {FIRST}", f"image_tag: {SECOND}")
    tour.commit(f"Release {SECOND}")
    plan = tour.plan().plan
    require(not plan.empty, "the new image is no difference")
    with tour.watching() as seen:
        tour.see_through()
    for name in ("api", "web", "worker"):
        require(tour.image(name) == f"{name}:{SECOND}", f"{name} runs {tour.image(name)}, not {SECOND}")
        require(_side_by_side(seen, name), f"{name} was never seen with old and new tasks at once")
    yield f"api, web and worker run {SECOND}; old tasks went one after the other, as new ones became healthy"
    for name in ("api", "web"):
        least = min(snapshot.targets_of(snapshot.services[name])["healthy"] for snapshot in seen)
        require(least >= tour.service(name).desired, f"{name} had only {least} healthy targets for a moment")
    yield "at no moment had api or web fewer healthy targets than they should have tasks"
    require(_ended(seen, "api") <= _began(seen, "web"), "web, of wave 1, began before api, of wave 0, was done")
    yield "web, which is in wave 1, waited until api and worker were done"


def _side_by_side(seen: list[Snapshot], name: str) -> bool:
    """Whether tasks of both revisions ran at once, and old ones left only in steps, as new ones came."""
    views = [snapshot.services[name] for snapshot in seen]
    pairs = [(view.old, view.primary.running if view.primary else 0) for view in views]
    both = any(0 < old < view.desired and new > 0 for (old, new), view in zip(pairs, views, strict=True))
    return both and all(after <= before for (before, _), (after, _) in pairwise(pairs) if before)


def _began(seen: list[Snapshot], name: str) -> int:
    return next((index for index, snapshot in enumerate(seen) if snapshot.services[name].moving), len(seen))


def _ended(seen: list[Snapshot], name: str) -> int:
    return max((index for index, snapshot in enumerate(seen) if snapshot.services[name].moving), default=0)


def merge(tour: Tour) -> Claims:
    others = {name: tour.service(name).deployments for name in ("api", "web", "worker")}
    tour.shop.git("switch", "--quiet", "--create", "add-search")
    tour.shop.write({"base/search.yaml": SEARCH})
    tour.commit("Add the search service")
    tour.shop.git("switch", "--quiet", "main")
    merged = 'merge --no-ff add-search --message "Merge the search service"'
    tour.shop.git("merge", "--quiet", "--no-ff", "add-search", "--message", "Merge the search service")
    tour.screen.command(f"git switch main && git {merged}")
    require(len(tour.shop.git("rev-parse", "HEAD^@").split()) == 2, "HEAD is no merge")
    plan = tour.plan().plan
    names = {action.resource.name for action in plan.actions if not action.silent}
    require(names == {"search"}, f"the merge changes {', '.join(sorted(names)) or 'nothing'}")
    tour.see_through()
    view = tour.service("search")
    require(tour.healthy_targets("search") == view.desired, f"search has no healthy targets: {view}")
    yield f"search runs with {view.running} tasks, all of them healthy targets"
    rule, group = tour.status("ListenerRule/search").arn, tour.status("TargetGroup/search").arn
    found = tour.stage.viewer.read(Call("elbv2", "DescribeRules", {"ruleArns": [rule]}))["rules"][0]
    goes = [action.get("targetGroupArn") for action in found["actions"]]
    require(goes == [group] and PATH in str(found["conditions"]), f"the rule in AWS is {found}")
    yield f"the load balancer sends {PATH} there"
    require(all(tour.service(name).deployments == before for name, before in others.items()), "others were deployed")
    yield "api, web and worker were not touched"


def invalid(tour: Tour) -> Claims:
    before = len(tour.stage.aws.calls)
    tour.shop.edit("base/api.yaml", "desiredCount: 2", "desiredCuont: 4")
    tour.shop.edit("base/web.yaml", "{type: forward, targetGroup: web}", "{type: forward, targetGroup: wbe}")
    tour.shop.edit("base/worker.yaml", "memory: 256", "memory: lots")
    tour.commit("Scale a few things")
    problems = tour.refused()
    tour.screen.show(Group(*(problem_line(problem) for problem in problems)))
    files = {problem.path for problem in problems if problem.line and problem.column}
    wanted = {"base/api.yaml", "base/web.yaml", "base/worker.yaml"}
    require(files == wanted, f"mistakes were found in {', '.join(sorted(files)) or 'no file'}")
    yield f"all {len(problems)} mistakes are told at once, each with file, line and column"
    tour.rest(2)
    tour.stage.flow(10)
    require(tour.refused() == problems, "a second pass at the same commit says something else")
    mutating = [call.name for call in tour.stage.aws.calls[before:] if call.mutating]
    require(not mutating, f"an invalid commit led to {mutating}")
    yield "AWS was not touched: 0 mutating calls, and everything runs as before"
    tour.shop.git("revert", "--no-edit", "HEAD")
    tour.screen.command("git revert HEAD")
    require(tour.plan().plan.empty, "after the revert there is something to do")
    yield "after the revert the repository is valid again, and there is nothing to do"


def drift(tour: Tour) -> Claims:
    before = tour.service("api")
    require(before.primary, "api has no deployment")
    tour.screen.say(by_hand(tour.stage, "api", count=1, name="LOG_LEVEL", value="debug"))
    tour.stage.refresh()
    require(tour.service("api").desired == 1, "the change by hand has not changed AWS")
    tour.rest()
    report = tour.plan()
    status = tour.status("Service/api")
    drifted = {item.field: item for item in status.differences if item.cause is Cause.DRIFTED}
    variable = next((item for field, item in drifted.items() if "environment" in field), None)
    count = drifted.get("desiredCount")
    require(count and (count.live, count.desired) == (1, 3), f"the count is no drift: {status.differences}")
    require(variable and variable.live == "debug", f"the variable is no drift: {status.differences}")
    require(len(report.plan.actions) == 1, "the drift of one service leads to more than one action")
    yield "the drift is told field by field, as changes of AWS and not of git"
    writes = len(tour.stage.writes())
    tour.see_through()
    after = tour.service("api")
    primary = after.primary
    require(after.desired == before.desired and primary, f"api should have {before.desired} tasks: {after}")
    level = tour.stage.glance.environment(primary.task_definition if primary else "")["LOG_LEVEL"]
    require(level == "info", f"LOG_LEVEL is {level}")
    yield f"both were put back: {after.running} tasks, LOG_LEVEL=info"
    made = tour.stage.writes()[writes:]
    require("ecs:RegisterTaskDefinition" not in made, "a revision was registered to put back what one had already")
    yield "no new revision was needed: the one from before, found by its content, runs again"


def broken(tour: Tour) -> Claims:
    tour.shop.edit("base/web.yaml", f"{WEB_IMAGE}${{var.image_tag}}", f"{WEB_IMAGE}{BROKEN}")
    tour.commit(f"Release web {BROKEN}")
    tour.plan()
    start = len(tour.stage.writes())
    tour.stage.settle(600)
    made = tour.stage.writes()[start:]
    for name in ("ecs:RegisterTaskDefinition", "ecs:UpdateService"):
        require(made.count(name) == 1, f"{name} was called {made.count(name)} times: {made}")
    require(tour.image("web") == f"web:{SECOND}", f"web runs {tour.image('web')}")
    require(tour.healthy_targets("web") == tour.service("web").desired, "web is not back on its feet")
    yield f"it was deployed once, and crashed; ECS's circuit breaker has put {SECOND} back, with every target healthy"
    tour.rest()
    tour.shop.edit("README.md", "# Shop\n", "# The shop\n")
    tour.commit("Say more in the README")
    start = len(tour.stage.writes())
    for _ in range(HELD_PASSES):
        tour.stage.flow(10)
        tour.stage.run()
    made = tour.stage.writes()[start:]
    require(not made, f"a quarantined image led to {made}")
    status = tour.status("Service/web")
    require(status.quarantined and status.health.state is HealthState.DEGRADED, f"web is not in quarantine: {status}")
    yield f"it is in quarantine: {HELD_PASSES} more passes, at a commit about something else, have written nothing"
    tour.rest()
    tour.shop.edit("base/web.yaml", f"{WEB_IMAGE}{BROKEN}", f"{WEB_IMAGE}{FIXED}")
    tour.commit(f"Release web {FIXED}, which starts")
    tour.plan()
    tour.see_through()
    require(tour.image("web") == f"web:{FIXED}", f"web runs {tour.image('web')}")
    require(not tour.status("Service/web").quarantined, "web is still in quarantine")
    yield f"the next commit has fixed it: web runs {FIXED}, and the quarantine is over"


STEPS: Final = (
    Step(
        "The first sync",
        "The repository describes a cluster, a load balancer and three services; AWS has none of them. "
        "Three EC2 instances wait to join the cluster.",
        first_sync,
    ),
    Step(
        "A commit with a new image rolls out, task by task",
        "A release is one line in git. Reconciler registers the new revisions and lets ECS replace the tasks; "
        "api and worker go first, then web (wave 1).",
        release,
    ),
    Step(
        "A merge adds a service",
        "A branch brings a search service with its target group and a rule for its path. "
        "Merging it is all that its team has to do.",
        merge,
    ),
    Step(
        "An invalid commit is refused",
        "Somebody commits in a hurry: a misspelt field, a target group that is not there, a word instead of a number. "
        "Invalid means untouched.",
        invalid,
    ),
    Step(
        "Somebody changes things by hand",
        "Sam scales api down and turns on debug logs, past git. The environment says selfHeal: true, "
        "so that is shown, and put back.",
        drift,
    ),
    Step(
        "A broken image is deployed once",
        "web's next image crashes at its start. It is rolled back and held in quarantine until git has something else.",
        broken,
    ),
)
