"""MiniStack with Gatehouse's Lambda pool, containers and state language: `python -m local.emulator.server`."""

import atexit
import os
import signal
import threading

# Not ministack.__main__, which starts a second server while it is imported.
from ministack.app import main

from local.emulator import (
    account_public_access,
    accounts,
    application_auto_scaling,
    callbacks,
    containers,
    continuous_backups,
    distributed_map,
    event_sources,
    lambda_pool,
    nested_stacks,
    policies,
    quotas,
    seams,
    service_effects,
    state_language,
    table_restores,
    timeouts,
    trail_events,
)
from local.emulator.settings import ServerSettings
from local.emulator.surroundings import Surroundings
from local.emulator.unpacked import UnpackedArchives


def _end_with_starter(pool: lambda_pool.LambdaPool, tasks: containers.LocalContainers) -> None:
    # Not sys.stdin: a thread that waits inside a buffered reader would hold up the interpreter's end.
    while os.read(0, 1024):
        pass
    pool.close()
    tasks.close()
    os.kill(os.getpid(), signal.SIGKILL)


def serve() -> None:
    """Install every replacement, then serve until TERM."""
    seams.check_version()
    settings = ServerSettings.from_environment()
    pool = lambda_pool.LambdaPool(
        settings.runtime_python,
        settings.endpoint,
        settings.region,
        UnpackedArchives(settings.unpacked),
        Surroundings(settings.rds, settings.clock, settings.root),
    )
    tasks = containers.LocalContainers(settings.container_python, settings.root, settings.endpoint)
    runs = distributed_map.MapRuns()
    accounts.install()
    account_public_access.install()
    application_auto_scaling.install()
    service_effects.install()
    trail_events.install()
    policies.install()
    nested_stacks.install()
    event_sources.install()
    lambda_pool.install(pool)
    containers.install(tasks)
    continuous_backups.install()
    table_restores.install()
    distributed_map.install(runs)
    state_language.install(runs)
    timeouts.install()
    callbacks.install()
    quotas.install()
    atexit.register(pool.close)
    atexit.register(tasks.close)
    if settings.leashed:
        threading.Thread(target=_end_with_starter, args=(pool, tasks), daemon=True, name="leash").start()
    main()


if __name__ == "__main__":
    serve()
