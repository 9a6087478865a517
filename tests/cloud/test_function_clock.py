"""Functions of a cloud with a clock of its own have that time, and no other part of them has."""

import io
import json
import uuid
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.endpoints import ACCOUNT
from local.supervisor import EmbeddedCloud
from tests.support.cloud import eventually

pytestmark = pytest.mark.cloud

KERNEL = Path("functions/kernel")
HANDLER = """
from datetime import UTC, datetime
from kernel.clock import utc_now
def handle(event, context):
    return [utc_now().isoformat(), datetime.now(UTC).isoformat()]
"""


def test_clock_of_functions_is_moved_while_they_run(tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("timed.py", HANDLER)
        for name in ("__init__.py", "clock.py"):
            code.write(KERNEL / name, f"kernel/{name}")
    cloud = EmbeddedCloud.start(f"test-{uuid.uuid4().hex[:8]}", clock=clock)
    functions = cloud.client("lambda")

    def ahead() -> timedelta:
        answer = eventually(lambda: functions.invoke(FunctionName="timed"))
        moved, machine = map(datetime.fromisoformat, json.load(answer["Payload"]))
        assert abs(machine - datetime.now(UTC)) < timedelta(minutes=1)
        return moved - machine

    try:
        clock.write_text("-7200.5")
        functions.create_function(
            FunctionName="timed",
            Runtime="python3.11",
            Role=f"arn:aws:iam::{ACCOUNT}:role/timed",
            Handler="timed.handle",
            Code={"ZipFile": archive.getvalue()},
            Timeout=20,
        )
        assert ahead() == pytest.approx(timedelta(seconds=-7200.5), abs=timedelta(seconds=1))
        clock.write_text("60")
        assert ahead() == pytest.approx(timedelta(seconds=60), abs=timedelta(seconds=1))
    finally:
        cloud.stop()
