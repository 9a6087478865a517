"""The runner itself: nothing that went wrong may look like success."""

import subprocess
from pathlib import Path

import pytest

from local.paths import ROOT
from tests.check import Check, run_all
from tests.run import Tally, judge

REPORT = '<testsuites><testsuite tests="{}" failures="{}" errors="{}" skipped="{}"/></testsuites>'


@pytest.mark.parametrize(
    ("counts", "exit_code", "tally"),
    [
        ((5, 0, 0, 1), 0, Tally(passed=4, skipped=1)),
        ((5, 1, 1, 0), 1, Tally(passed=3, failed=2)),
        ((0, 0, 0, 0), 5, Tally(failed=1)),  # no test was found
        ((3, 0, 0, 3), 0, Tally(failed=1, skipped=3)),  # all were skipped
        ((5, 0, 0, 0), 3, Tally(passed=5, failed=1)),  # pytest itself broke down at the end
    ],
)
def test_tally_counts_what_went_wrong(tmp_path: Path, counts: tuple[int, ...], exit_code: int, tally: Tally) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT.format(*counts))

    assert judge(report, exit_code) == tally


@pytest.mark.parametrize("exit_code", [0, -9])
def test_a_run_without_report_has_failed(tmp_path: Path, exit_code: int) -> None:
    assert judge(tmp_path / "none.xml", exit_code) == Tally(failed=1)


def test_closing_line_is_what_ci_looks_for() -> None:
    pattern = next(
        line.split("'")[1] for line in (ROOT / ".ci/run").read_text().splitlines() if line.startswith("grep")
    )
    found = subprocess.run(  # noqa: S603
        ["/usr/bin/env", "grep", "-E", pattern],
        input=f"{Tally(12, 0, 3)}\n",
        capture_output=True,
        text=True,
        check=True,
    )

    assert found.stdout == "12 passed, 0 failed, 3 skipped\n"


def test_a_check_that_finds_something_fails(capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = run_all([Check("good", lambda: ""), Check("bad", lambda: "line 3 is wrong")])

    assert outcomes == {"good": True, "bad": False}
    assert "line 3 is wrong" in capsys.readouterr().out


def test_a_check_that_breaks_down_fails(capsys: pytest.CaptureFixture[str]) -> None:
    def breaks_down() -> str:
        raise FileNotFoundError("the tool is not there")

    assert run_all([Check("broken", breaks_down)]) == {"broken": False}
    assert "the tool is not there" in capsys.readouterr().out
