"""Amazon ECS, emulated: the services, tasks and deployments that moto only stores, alive over virtual time.

`server` calls `install` at the start and `reset` when everything is forgotten; tests and the demo call `add_instance`.
moto keeps what it does well here (container instances, capacity providers, attributes, account settings, task sets);
everything else is replaced under moto's dispatch. Where to look:

    operations        which operation is answered by what
    site, model       where things lie and what they are
    clusters, definitions, services, service_update, tasks, deployments, tags, instances      the operations
    *_rules, *_echo, *_view     what is refused, what is added to the input, what is answered
    driver → lifecycle, scheduler → task_health, rollouts, placement, balancing     what happens as time passes
    events            what ECS says about it
    timing            how long things take
"""

from __future__ import annotations

from reconciler.emulator.ecs import driver, operations
from reconciler.emulator.ecs.instances import add_instance
from reconciler.emulator.world import World

__all__ = ["add_instance", "install", "reset"]

_patched: list[bool] = []


def install(world: World) -> None:
    """Patch moto, once per process, and let the world's clock drive ECS."""
    if not _patched:
        operations.patch()
        _patched.append(True)
    world.on_tick(driver.on_tick)


def reset() -> None:
    """Forget what does not lie in moto's backends, which `server` clears: the time of the last tick."""
    driver.forget()
