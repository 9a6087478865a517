"""The local log API of RDS for tests: a world of small instances, a server for it, and readers, good and naive ones."""

import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from local.endpoints import ACCOUNT, REGION
from local.rds.model.errors import ServiceError
from local.rds.model.estates import resource_id
from local.rds.model.instances import Instance, Knobs
from local.rds.model.portions import MAX_LINES, NOTICE
from local.rds.model.sources import MemorySource
from local.rds.model.world import ConnectionLost, World
from local.rds.server import RdsServer

START = datetime(2026, 11, 21, 6, 30, tzinfo=UTC)
SLOW = "slowquery/mysql-slowquery.log"
KINDS = {
    "mysql": ("slow", "general", "error", "audit"),
    "mariadb": ("slow", "error", "audit"),
    "aurora-mysql": ("slow", "error", "audit.0", "audit.1", "audit.2", "audit.3"),
    "postgres": ("stderr", "csv"),
    "aurora-postgresql": ("stderr", "csv"),
    "sqlserver-se": ("error",),
    "oracle-ee": ("alert",),
}


@pytest.fixture
def rds_api() -> Iterator[RdsServer]:
    """Return the API of an empty world at 06:30 UTC, on a free port, with its commands in `control`."""
    with RdsServer(World(START)) as server:
        yield server


def add_instance(
    world: World, name: str = "orders-1", engine: str = "mysql", account: str = ACCOUNT, **knobs: Any
) -> Instance:
    """Add an instance whose logs are in memory and empty."""
    instance = Instance(
        name, resource_id("db", account, name), engine, "1", world.now(), tags={"team": "orders"}, knobs=Knobs(**knobs)
    )
    instance.attach(lambda kind: MemorySource() if kind in KINDS[engine] else None, world.now())
    return world.estate(account, REGION).add(instance)


def write(instance: Instance, log: str, data: bytes) -> None:
    """Append to a log, given by the beginning of its file's name."""
    source = instance.log_named(log).source
    assert isinstance(source, MemorySource)
    source.write(data)


def rds_client(server: RdsServer, account: str = ACCOUNT) -> Any:
    """Return a boto3 client of an account; it asks once, and again only where a test does."""
    return _session(account).client(
        "rds", endpoint_url=server.endpoint, config=Config(retries={"total_max_attempts": 1})
    )


@cache
def _session(account: str) -> boto3.Session:
    # Shared, as each session reads the large model of RDS anew.
    return boto3.Session(account, "local", region_name=REGION)


def complete(
    server: RdsServer,
    instance: str,
    file: str,
    sign: type[SigV4Auth] = SigV4Auth,
    credentials: Credentials | None = None,
) -> bytes:
    """Download a complete file."""
    request = AWSRequest("GET", f"{server.endpoint}/v13/downloadCompleteLogFile/{instance}/{file}")
    sign(credentials or Credentials(ACCOUNT, "local"), "rds", REGION).add_auth(request)
    assert request.url is not None
    with urllib.request.urlopen(  # noqa: S310 - loopback
        urllib.request.Request(request.url, headers=dict(request.headers))  # noqa: S310 - loopback
    ) as answer:
        data: bytes = answer.read()
    return data


Download = Callable[..., dict[str, Any]]


def calling(world: World, instance: str, file: str) -> Download:
    """Return DownloadDBLogFilePortion of a file without sockets and XML; its log data are bytes."""

    def download(**parameters: Any) -> dict[str, Any]:
        given = {"DBInstanceIdentifier": instance, "LogFileName": file, **parameters}
        result = world.call(ACCOUNT, REGION, "DownloadDBLogFilePortion", given).result
        assert isinstance(result, dict)
        return result

    return download


def cut_lines(data: bytes) -> bytes | None:
    """Return the whole lines before a notice at the end; None if there is no notice."""
    if not data.endswith(NOTICE):
        return None
    return data[: data.rfind(b"\n", 0, len(data) - len(NOTICE)) + 1]


def read_by_offsets(download: Download) -> bytes:
    """Read a file and trust no marker after a cut: the next one is built from the bytes that are whole."""
    read = b""
    prefix = "0"
    while True:
        answer = download(Marker=f"{prefix}:{len(read)}" if read else "0")
        whole = cut_lines(answer["LogFileData"])
        prefix = answer["Marker"].rpartition(":")[0]
        data = answer["LogFileData"] if whole is None else whole
        if not data:
            return read
        read += data


def read_again(download: Download) -> bytes:
    """Read a file, and ask again for just the whole lines where one is cut."""
    read, marker = b"", "0"
    while True:
        answer = download(Marker=marker)
        if (whole := cut_lines(answer["LogFileData"])) is not None:
            answer = download(Marker=marker, NumberOfLines=max(1, whole.count(b"\n")))
        if not answer["LogFileData"] or cut_lines(answer["LogFileData"]) == b"":
            return read
        read, marker = read + answer["LogFileData"], answer["Marker"]


def read_patiently(download: Download, size: int) -> bytes:
    """Read a file of a known size whatever goes wrong: ask again, ask for less, measure what is delivered twice."""
    read = b""
    lines = MAX_LINES
    while len(read) < size:
        try:
            answer = download(Marker=f"0:{len(read)}", NumberOfLines=lines)
        except (ServiceError, ConnectionLost):
            continue
        data, marker = answer["LogFileData"], answer.get("Marker")
        if (whole := cut_lines(data)) is not None:
            # Too many where a fragment stands before the lines that were asked for; then it is cut again.
            lines = min(whole.count(b"\n"), lines - 1)
            assert lines, "a line is longer than a portion"
        elif marker and data:
            step = int(marker.rpartition(":")[2]) - len(read)
            read += data[len(data) - step :]
            lines = MAX_LINES
    return read


def read_naively(rds: Any, instance: str, file: str) -> str:
    """Read a file as most tools do: botocore's paginator from the first byte, markers trusted."""
    pages = rds.get_paginator("download_db_log_file_portion").paginate(
        DBInstanceIdentifier=instance, LogFileName=file, PaginationConfig={"StartingToken": "0"}
    )
    return "".join(page.get("LogFileData", "") for page in pages)
