"""The processes that are measured: one plan, or one bare boto3 loop, each alone in a fresh interpreter.

`benchmarks.plan` starts them as `python -m benchmarks.client plan|sync|bare …` and reads one JSON object from their
standard output. `sync` is a plan that may write: on a fleet in sync it writes nothing to AWS, and it takes the
baselines that a plan of a running installation compares with.

The plan is put together as the command line does it, but for one thing: it does not wait for the client-side rate
limits, which would add minutes of sleep to seconds of work. How long it would have waited is measured instead.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import sys
from pathlib import Path
from typing import Any


def cpu_seconds() -> float:
    """User and system time of this process and of the programs that it has run."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def plan(repository: Path, home: Path, *, write: bool) -> dict[str, Any]:
    """One pass over the only environment at HEAD, with the caches and the store below `home`."""
    from reconciler import __version__  # noqa: PLC0415
    from reconciler.aws.disk_cache import DiskCache  # noqa: PLC0415  # imports count as start-up, and are this one's
    from reconciler.aws.gate import Gate  # noqa: PLC0415
    from reconciler.aws.session import connect  # noqa: PLC0415
    from reconciler.engine.passes import Engine, Order  # noqa: PLC0415
    from reconciler.engine.render import Renderings  # noqa: PLC0415
    from reconciler.git import open_repository  # noqa: PLC0415
    from reconciler.kinds import KINDS  # noqa: PLC0415
    from reconciler.store import open_store  # noqa: PLC0415

    gc.set_threshold(50_000, 20, 100)  # as the command line does
    started = cpu_seconds()
    waits = [0.0]
    home.mkdir(parents=True, exist_ok=True)
    cache, store = DiskCache(home / "cache"), open_store(f"sqlite:///{home / 'store.sqlite'}")
    with open_repository(str(repository), home / "git") as opened:
        renderings = Renderings(opened, KINDS, cache=cache, version=__version__)
        desired = renderings.at(opened.commit("HEAD").id)
        environment = desired.environment
        session = connect(environment.region)
        with Gate(session, account=environment.account, cache=cache, sleep=waits.append) as gate:
            report = Engine(renderings, KINDS, gate, store).run(desired, Order(write=write))
        session.close()
    cache.close()
    store.close()
    return {
        "start_up": started,
        "cpu": cpu_seconds(),
        "calls": dict(report.calls),
        "resources": len(report.statuses),
        "synced": sum(status.sync.value == "Synced" for status in report.statuses.values()),
        "differences": sum(len(status.differences) for status in report.statuses.values()),
        "actions": len(report.plan.actions) + len(report.plan.held),
        "paced": max(waits),  # each wait is from now to the call's turn; without sleeping, the last turn is the longest
    }


def bare(calls: Path) -> dict[str, Any]:
    """The same calls with boto3 as it comes, one after the other; the answers are parsed and dropped."""
    import boto3  # noqa: PLC0415  # as above
    from botocore import xform_name  # noqa: PLC0415

    started = cpu_seconds()
    recorded = json.loads(calls.read_text())
    session = boto3.Session(region_name="eu-west-1")
    clients = {service: session.client(service) for service in sorted({call[0] for call in recorded})}
    for service, operation, params in recorded:
        getattr(clients[service], xform_name(operation))(**params)
    return {"start_up": started, "cpu": cpu_seconds()}


def main() -> None:
    parser = argparse.ArgumentParser(description="One measured run; AWS_ENDPOINT_URL says where AWS is.")
    commands = parser.add_subparsers(dest="what", required=True)
    for name in ("plan", "sync"):
        command = commands.add_parser(name)
        command.add_argument("repository", type=Path)
        command.add_argument("home", type=Path)
    commands.add_parser("bare").add_argument("calls", type=Path)
    given = parser.parse_args()
    if given.what == "bare":
        result = bare(given.calls)
    else:
        result = plan(given.repository, given.home, write=given.what == "sync")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result["megabytes"] = peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
