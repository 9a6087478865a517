"""What each run of the tests leaves to the thorough one, and how its files are distributed."""

import subprocess
import sys

import pytest

from local.paths import ROOT
from tests.support.scheduling import scope

CODE = "from tests.support.effort import examples, spread; print(examples(100), examples(2), *spread(range(9)))"


@pytest.mark.parametrize(
    ("environment", "tried"),
    [({}, "34 1 0 5 8"), ({"GATEHOUSE_TESTS": "thorough"}, "100 2 0 1 2 3 4 5 6 7 8")],
    ids=["each time", "thoroughly"],
)
def test_first_and_last_moment_are_always_tried_and_all_of_them_thoroughly(
    environment: dict[str, str], tried: str
) -> None:
    command = [sys.executable, "-c", CODE]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)  # noqa: S603 - ourselves

    assert done.stdout.split() == tried.split()


def test_files_that_share_the_application_go_to_one_worker_and_all_others_where_there_is_room() -> None:
    assert scope(ROOT, "tests/e2e/test_backfill.py") == scope(ROOT, "tests/e2e/test_seal_day.py")
    apart = ["tests/e2e/test_database_logs.py", "tests/pipeline/test_seals.py"]
    assert [scope(ROOT, file) for file in apart] == apart
