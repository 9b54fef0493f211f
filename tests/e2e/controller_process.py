"""A controller in a process of its own, which really dies: run by `test_e2e_kills.py`, with one JSON argument.

    {"url": …, "repository": …, "mirrors": …, "point": ["Cluster/shop:create ecs:CreateCluster", 1, "after"], "how": …}

It makes one pass at HEAD and dies at the point: by SIGKILL, or by `os._exit` without any cleaning up. It exits with 3
when it never came there.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from reconciler.aws.gate import Gate
from reconciler.aws.session import connect
from reconciler.engine.passes import Engine, Order
from reconciler.engine.render import Renderings
from reconciler.git import open_repository
from reconciler.kinds import KINDS
from tests.e2e.deaths import Point, Script
from tests.e2e.stage import ACCOUNT, REGION

NEVER_CAME = 3
EXITED = 9

ENDS: dict[str, Callable[[], None]] = {
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "exit": lambda: os._exit(EXITED),
}


def main(argument: str) -> int:
    """Make one pass and die in it."""
    given = json.loads(argument)
    script = Script(Point(*given["point"]), ENDS[given["how"]])
    gate = Gate(connect(REGION, endpoint_url=given["url"]), account=ACCOUNT)
    repository = open_repository(given["repository"], Path(given["mirrors"]))
    renderings = Renderings(repository, KINDS)
    engine = Engine(renderings, KINDS, script.wrap(gate), on_action=script.started)
    engine.run(renderings.at(repository.commit("HEAD").id), Order())
    return NEVER_CAME


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
