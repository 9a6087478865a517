"""All static checks: `python -m tests.check` (which is `make check`).

One line a check, with its time; what a tool prints only where it found something. Names as arguments run just these.
"""

import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from local.paths import ROOT, SAM
from tests.support.asl_lint import asl_problems
from tests.support.definitions import read
from tests.support.locks import lock_problems
from tests.support.templates import machines, stacks, standalone

_BIN = ROOT / ".venv/bin"
_REGION = "eu-central-1"


@dataclass(frozen=True)
class Check:
    """One check: `run` returns what it found; nothing is good."""

    name: str
    run: Callable[[], str]


@dataclass(frozen=True)
class Outcome:
    """What a check found, and how long it took."""

    name: str
    found: str
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether it found nothing."""
        return not self.found


def _tool(*command: object) -> Callable[[], str]:
    def run() -> str:
        environment = {
            **os.environ,
            "AWS_DEFAULT_REGION": _REGION,
            "SAM_CLI_TELEMETRY": "0",
            "NO_COLOR": "1",
        }
        done = subprocess.run(  # noqa: S603 - our tools
            [str(part) for part in command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        return "" if done.returncode == 0 else done.stdout + done.stderr or f"status {done.returncode}"

    return run


def _definitions() -> str:
    return "\n".join(
        f"{machine.path.name}: {problem}"
        for machine in machines()
        for problem in asl_problems(read(machine.path), machine.substitutions)
    )


def _templates() -> list[str]:
    return [str(stack.path.relative_to(ROOT)) for stack in (*stacks(), *standalone())]


# The slow ones first, so that the quick ones fill up the second worker.
CHECKS = (
    Check("mypy", _tool(_BIN / "mypy")),
    Check("sam validate", _tool(SAM, "validate", "--lint", "--template", "template.yaml", "--region", _REGION)),
    Check("cfn-lint", _tool(_BIN / "cfn-lint", "--regions", _REGION, "--", *_templates())),
    Check("state machines", _definitions),
    Check("ruff check", _tool(_BIN / "ruff", "check", "--quiet", "--output-format", "concise")),
    Check("ruff format", _tool(_BIN / "ruff", "format", "--check", "--output-format", "concise")),
    Check("import walls", _tool(_BIN / "lint-imports")),
    Check("locks", lambda: "\n".join(lock_problems(ROOT))),
)


def run_all(checks: Iterable[Check] = CHECKS) -> dict[str, bool]:
    """Run checks two at a time, print a line each, and return which are content."""
    with ThreadPoolExecutor(2) as threads:
        outcomes = {}
        for outcome in threads.map(_timed, checks):
            print(f"{'ok    ' if outcome.ok else 'FAILED'}  {outcome.name:<16} {outcome.seconds:5.1f} s", flush=True)
            if not outcome.ok:
                print(outcome.found.rstrip(), flush=True)
            outcomes[outcome.name] = outcome.ok
    return outcomes


def _timed(check: Check) -> Outcome:
    began = time.perf_counter()
    try:
        found = check.run()
    except Exception:  # noqa: BLE001 - a check that breaks down has not found everything in order
        found = traceback.format_exc()
    return Outcome(check.name, found, time.perf_counter() - began)


def main(names: list[str]) -> int:
    """Run all checks, or those named, and return the exit code."""
    known = {check.name: check for check in CHECKS}
    if unknown := [name for name in names if name not in known]:
        print(f"There is no check {', '.join(unknown)}. The checks are: {', '.join(known)}.", file=sys.stderr)
        return 2
    return 0 if all(run_all(known[name] for name in names or known).values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
