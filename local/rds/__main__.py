"""The API of a fleet in a process of its own: `python -m local.rds`, which ends with its standard input.

Its first line of output is a JSON object with `endpoint`; a second one, with `started`, comes once the fleet is there.
"""

import json
import shutil
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from local.rds.fleet import RealServer, populate
from local.rds.model.world import World
from local.rds.server import RdsServer
from local.rds.servers.engines import SERVERS
from local.rds.workload import prepare


def _arguments() -> Namespace:
    parser = ArgumentParser(prog="python -m local.rds", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=datetime.fromisoformat, help="of the virtual clock, UTC; the present minute")
    parser.add_argument("--speed", type=float, default=0.0, help="virtual seconds in a second; 0: moved by hand")
    parser.add_argument("--real", nargs="*", choices=sorted(SERVERS), default=[], help="engines with a real server")
    parser.add_argument("--busy", type=float, default=40.0, help="records a minute in each log of a busy instance")
    parser.add_argument("--quiet", type=float, default=1.0, help="times what all other instances write")
    return parser.parse_args()


def main() -> None:
    """Serve until standard input ends."""
    given = _arguments()
    start = (given.start or datetime.now(UTC)).replace(second=0, microsecond=0)
    world = World(start if start.tzinfo else start.replace(tzinfo=UTC), given.speed)
    with ExitStack() as stack:
        api = stack.enter_context(RdsServer(world, given.port))
        _say(endpoint=api.endpoint)
        real: dict[str, RealServer] = {}
        for engine in given.real:
            # Short, as there is a socket in it, and where whoever the server runs as may go.
            folder = Path(tempfile.mkdtemp(prefix=f"rds-{engine}-"))
            stack.callback(shutil.rmtree, folder)
            server = SERVERS[engine](folder)
            stack.callback(server.stop)
            prepare(server.connect)
            real[engine] = server
        populate(world, given.seed, real, busy=given.busy, quiet=given.quiet)
        _say(started=time.time())
        sys.stdin.read()


def _say(**said: str | float) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
