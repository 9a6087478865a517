"""All tests: `python -m tests.run` (which is `make test`).

Static checks first, then pytest twice, as polars and pyarrow may not share a process (see `conftest.py`). The last line
sums up all of it, a static check counting as one test: `N passed, N failed, N skipped`.
"""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

from local.paths import ROOT, STATE
from tests.check import run_all

_RUNS = {"without-pyarrow": "not pyarrow", "with-pyarrow": "pyarrow"}


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


def _pytest(name: str, expression: str, arguments: list[str]) -> Tally:
    report = STATE / "reports" / f"{name}.xml"
    report.unlink(missing_ok=True)
    workers = os.environ.get("CI_XDIST", "2")
    # In the order of the folders, whose last has small files: by number of tests, the longest test would come last.
    distribution = ["-n", workers, "--dist", "loadfile", "--no-loadscope-reorder"]
    command = [sys.executable, "-m", "pytest", "-m", expression, *distribution, "-q"]
    print(f"\n=== tests {name}", flush=True)
    command += [f"--junitxml={report}", *arguments]
    return judge(report, subprocess.run(command, cwd=ROOT, check=False).returncode)  # noqa: S603 - pytest


def main(arguments: list[str]) -> int:
    """Run everything and return the exit code; arguments go to pytest."""
    # Hundreds of processes start here, and each would compile all that it imports.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    print("=== static checks", flush=True)
    checks = run_all()
    tally = Tally(passed=sum(checks.values()), failed=sum(not ok for ok in checks.values()))
    for name, expression in _RUNS.items():
        tally += _pytest(name, expression, arguments)
    print(f"\n{tally}", flush=True)
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
