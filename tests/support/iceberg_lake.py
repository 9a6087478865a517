"""Builds a small lake with two versions of a day for the tests of Iceberg: polars writes it, in a process of its own.

`python -m tests.support.iceberg_lake <folder>` leaves the lake, and documents of the days as lines of JSON on stdout.
"""

import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Final

from firewall_logs.days.contracts import SealedDay
from local.paths import ROOT

DAY: Final = date(2026, 6, 7)
OTHER: Final = date(2026, 6, 8)


def build(folder: Path) -> tuple[SealedDay, SealedDay, SealedDay]:
    """Return the first version of DAY (3 events), its second (5), and the first of OTHER (1); all files are there."""
    command = [sys.executable, "-m", "tests.support.iceberg_lake", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - ourselves
    first, second, other = (SealedDay.model_validate_json(line) for line in done.stdout.splitlines())
    return first, second, other


def _main(folder: Path) -> None:
    from tests.support.small_lake import SmallLake, on  # noqa: PLC0415 - imports polars, which the tests must not

    lake = SmallLake(folder)
    lake.commit("one", [on(DAY, 1, AISecurityPIICategories=["a", None]), on(DAY, 2), on(DAY, 23), on(OTHER, 4)])
    days = []
    for day in (DAY, OTHER):
        lake.seal(day)
        days.append(lake.newest(day))
    before = folder.with_name("before")
    shutil.copytree(folder, before)
    lake.commit("late", [on(DAY, 5), on(DAY, 6)])
    lake.seal(DAY)
    # A seal removes what it replaced; here an older version can be asked for as well.
    shutil.copytree(before, folder, dirs_exist_ok=True)
    for sealed in (days[0], lake.newest(DAY), days[1]):
        sys.stdout.write(f"{sealed.model_dump_json() if sealed else ''}\n")


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
