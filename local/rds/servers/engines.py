"""Engines of which the API can have a real server."""

from typing import Final

from local.rds.servers.mariadb import MariaDbServer
from local.rds.servers.postgres import PostgresServer

SERVERS: Final[dict[str, type[PostgresServer | MariaDbServer]]] = {"postgres": PostgresServer, "mariadb": MariaDbServer}


def installed() -> list[str]:
    """Return those whose programs are there."""
    return [engine for engine, server in SERVERS.items() if server.installed()]
