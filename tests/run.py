"""All tests: `python -m tests.run` (which is `make test`).

Static checks, then pytest. As polars and pyarrow may not share a process (see `conftest.py`), the few tests with
pyarrow have a pytest of their own, which runs beside all of this and is shown after it. The last line sums up all of
it, a static check counting as one test: `N passed, N failed, N skipped`.
"""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from local.paths import ROOT, STATE
from tests.check import run_all

_REPORTS = STATE / "reports"
# One more than a small machine has processors: a worker often waits for the embedded cloud.
_WORKERS = "3"


@dataclass(frozen=True)
class Tally:
    """What became of the tests of a run."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def read_report(path: Path) -> Tally:
    """Return what a JUnit report counts; an error in a fixture or while collecting is a failed test."""
    suites = list(ET.parse(path).getroot().iter("testsuite"))  # noqa: S314 - written by the pytest just called

    def total(name: str) -> int:
        return sum(int(suite.get(name, 0)) for suite in suites)

    failed, skipped = total("failures") + total("errors"), total("skipped")
    return Tally(max(0, total("tests") - failed - skipped), failed, skipped)


def judge(report: Path, exit_code: int) -> Tally:
    """Return the tally of a run: at least one failure where pytest was not content, or no test ran."""
    tally = read_report(report) if report.exists() else Tally()
    if tally.failed == 0 and (exit_code != 0 or tally.passed == 0):
        return tally + Tally(failed=1)
    return tally


def _pytest(name: str, expression: str, workers: str, arguments: list[str], output: IO[str] | None = None) -> Tally:
    report = _REPORTS / f"{name}.xml"
    report.unlink(missing_ok=True)
    # In the order of the folders, whose last has small files: by number of tests, the longest test would come last.
    distribution = ["-n", workers, "--dist", "loadfile", "--no-loadscope-reorder"]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-m",
        expression,
        *distribution,
        "-q",
        f"--junitxml={report}",
        *arguments,
    ]
    done = subprocess.run(command, cwd=ROOT, stdout=output, stderr=output, check=False)  # noqa: S603 - pytest
    return judge(report, done.returncode)


def main(arguments: list[str]) -> int:
    """Run everything and return the exit code; arguments go to pytest."""
    # Hundreds of processes start here, and each would compile all that it imports.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    _REPORTS.mkdir(parents=True, exist_ok=True)
    log = _REPORTS / "with-pyarrow.log"
    with log.open("w") as output, ThreadPoolExecutor(1) as beside:
        with_pyarrow = beside.submit(_pytest, "with-pyarrow", "pyarrow", "1", arguments, output)
        print("=== static checks", flush=True)
        checks = run_all()
        tally = Tally(passed=sum(checks.values()), failed=sum(not ok for ok in checks.values()))
        print("\n=== tests without-pyarrow", flush=True)
        tally += _pytest("without-pyarrow", "not pyarrow", os.environ.get("CI_XDIST", _WORKERS), arguments)
        tally += with_pyarrow.result()
    print(f"\n=== tests with-pyarrow\n{log.read_text()}\n{tally}", flush=True)
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
