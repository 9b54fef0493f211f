"""What a plan without changes costs: calls, client CPU and memory, for fleets of growing size.

`python -m benchmarks.plan [--services 10 100 1000] [--runs 3]` makes a repository for each size, starts the canned AWS
beside it, and measures in fresh processes:

- a *cold* plan, with an empty cache and an empty store;
- a *warm* plan, with the caches that the first one left and the baselines that a sync takes;
- for each, a *bare* boto3 loop: the very same calls with the same parameters, as the server recorded them, with boto3
  as it comes; it parses the answers and compares nothing;
- once, warm, the *command* `reconciler plan` itself, as a person runs it: it waits for the rate limits, and its CPU has
  the start of the command line and the screen in it.

A plan that finds a difference where there is none fails the benchmark, and so does one call of a kind that the formula
(`benchmarks.formula`) does not know: the wrong plan may be as fast as it likes. CPU is user and system time of the
client process and of the git that it runs, the median of the runs; `net` is without interpreter and imports.

Goal for 1000 services, warm: at most 1.2 times the least calls, 1.5 times the bare loop's CPU, under 250 MB.
The plan as the engine makes it is held to that; what the command adds to it is shown, and not judged.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from benchmarks import formula
from benchmarks.canned import Recorded, calls, running
from benchmarks.generate import Fleet, write_repository

ROOT: Final = Path(__file__).parent.parent
MOST_CALLS: Final = 1.2  # times the least
MOST_CPU: Final = 1.5  # times the bare loop's
MOST_MEGABYTES: Final = 250


@dataclass(frozen=True, slots=True)
class Measured:
    """One row of the table: a kind of run at one size."""

    services: int
    cold: bool
    made: Counter[str]
    least: dict[str, int]
    plan: dict[str, Any]
    bare: dict[str, Any]
    command: float | None = None  # CPU seconds of `reconciler plan`; measured warm only

    @property
    def call_ratio(self) -> float:
        return self.made.total() / sum(self.least.values())

    def cpu(self, which: dict[str, Any], *, net: bool) -> float:
        return float(which["cpu"] - which["start_up"] if net else which["cpu"])

    def cpu_ratio(self, *, net: bool) -> float:
        return self.cpu(self.plan, net=net) / self.cpu(self.bare, net=net)

    @property
    def meets_the_goal(self) -> bool:
        cheap = self.call_ratio <= MOST_CALLS and self.cpu_ratio(net=False) <= MOST_CPU
        return cheap and self.plan["megabytes"] < MOST_MEGABYTES


def _environment(address: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    settings = {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "AKIDBENCHMARK",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    return kept | settings


def client(address: str, *arguments: str) -> dict[str, Any]:
    """What one fresh process measured of itself."""
    command = [sys.executable, "-m", "benchmarks.client", *arguments]
    environment = _environment(address)
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def command_cpu(address: str, repository: Path, home: Path) -> float:
    """The CPU seconds of `reconciler plan`. Raises CalledProcessError for any exit code but that for no differences."""
    program = "from reconciler.cli import main; main()"
    arguments = [sys.executable, "-c", program, "plan", "--repo", str(repository)]
    environment = _environment(address) | {"RECONCILER_HOME": str(home)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(arguments, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(services: int, folder: Path, runs: int) -> list[Measured]:
    """The cold and the warm rows for one size. Raises AssertionError for a plan that is not the right one."""
    repository, home = folder / "repository", folder / "home"
    repository.mkdir(parents=True)
    write_repository(repository, services)
    with running(repository, services) as address:
        cold = _row(services, address, folder, runs, cold=True)
        shutil.rmtree(home, ignore_errors=True)
        _checked(services, client(address, "sync", str(repository), str(home)), calls(address))
        warm = _row(services, address, folder, runs, cold=False)
        return [cold, replace(warm, command=command_cpu(address, repository, home))]


def _row(services: int, address: str, folder: Path, runs: int, *, cold: bool) -> Measured:
    repository, home, record = folder / "repository", folder / "home", folder / "calls.json"
    plans: list[dict[str, Any]] = []
    bares: list[dict[str, Any]] = []
    made: Recorded = []
    for _ in range(runs):  # by turns, so that a busy machine slows both
        if cold:
            shutil.rmtree(home, ignore_errors=True)
        plans.append(client(address, "plan", str(repository), str(home)))
        made = calls(address)
        _checked(services, plans[-1], made)
        record.write_text(json.dumps(made))
        bares.append(client(address, "bare", str(record)))
        assert len(calls(address)) == len(made), "the bare loop makes the same calls"
    counted = Counter(f"{service}:{operation}" for service, operation, _ in made)
    least = formula.least_calls(Fleet(services), cold=cold)
    assert counted.keys() == least.keys(), "the formula knows the operations, and all are made"
    return Measured(services, cold, counted, least, _median(plans), _median(bares))


def _checked(services: int, plan: dict[str, Any], made: Recorded) -> None:
    fleet = Fleet(services)
    expected = 4 * services + 2 * fleet.balancers + fleet.clusters
    assert plan["resources"] == expected, f"{plan['resources']} resources instead of {expected}"
    assert plan["synced"] == expected, f"{expected - plan['synced']} resources are not in sync"
    assert plan["differences"] == plan["actions"] == 0, f"{plan['differences']} differences, {plan['actions']} actions"
    assert len(made) == sum(plan["calls"].values()), "the gate counts what the server sees"


def _median(results: list[dict[str, Any]]) -> dict[str, Any]:
    """The run in the middle, by its CPU."""
    middle = statistics.median_low(result["cpu"] for result in results)
    return next(result for result in results if result["cpu"] == middle)


def show(rows: list[Measured]) -> None:
    """The table, and the calls of the largest size by operation."""
    print(
        "                 calls              plan, CPU s    bare loop, CPU s    plan ÷ bare     peak MB      paced s\n"
        "     N  cache     made  least ratio  total    net     total    net     total   net    plan  bare   at AWS's"
    )
    for row in rows:
        total, net = ((row.cpu(one, net=False), row.cpu(one, net=True)) for one in (row.plan, row.bare))
        print(
            f"{row.services:6}  {'cold' if row.cold else 'warm'}  {row.made.total():7} {sum(row.least.values()):6}"
            f" {row.call_ratio:5.2f} {total[0]:6.2f} {total[1]:6.2f}    {net[0]:6.2f} {net[1]:6.2f}    "
            f"{row.cpu_ratio(net=False):6.2f} {row.cpu_ratio(net=True):5.2f}  {row.plan['megabytes']:6.0f}"
            f" {row.bare['megabytes']:5.0f}  {row.plan['paced']:9.0f}"
        )
    for row in rows:
        if row.command is not None:
            ratio = row.command / row.cpu(row.bare, net=False)
            print(
                f"N = {row.services}, warm: `reconciler plan` itself took {row.command:.2f} CPU s, {ratio:.2f} x bare"
            )
    print("\nEvery plan found no difference. `paced`: the rate limits alone, which these runs do not wait for.\n")
    largest = [row for row in rows if row.services == max(row.services for row in rows)]
    print(f"calls for N = {largest[0].services}" + " " * 32 + "cold  least    warm  least")
    for name in largest[0].least:
        numbers = "  ".join(f"{row.made[name]:6} {row.least.get(name, 0):6}" for row in largest)
        print(f"  {name:48} {numbers}")
    print(
        "\nDescribeTargetGroupAttributes has no batch form: like attributes and certificates of listeners it is read"
        "\nonce an hour, a task definition's content once for ever. The formula is explained in benchmarks/formula.py."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure plans without changes against a canned AWS.")
    parser.add_argument("--services", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    rows: list[Measured] = []
    for services in given.services:
        with tempfile.TemporaryDirectory() as folder:
            rows += measure(services, Path(folder), given.runs)
    show(rows)
    judged = [row for row in rows if row.services >= 1000 and not row.cold]
    for row in judged:
        print(f"\nN = {row.services}, warm: the engine's plan {'meets' if row.meets_the_goal else 'MISSES'} the goal")
    sys.exit(0 if all(row.meets_the_goal for row in judged) else 1)


if __name__ == "__main__":
    main()
