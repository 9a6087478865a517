"""Who assesses the account: ours, Cloud Custodian and Prowler, each as a process of its own, and what they found."""

# ruff: noqa: S603 - what is run are this folder's scripts and the peers

import csv
import json
import os
import re
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from local.endpoints import ACCOUNT, REGION, credentials
from local.paths import ROOT

FOLDER: Final = Path(__file__).parent / "assess_rules"
_CSV: Final = "found"
_LOOK_SECONDS: Final = 0.05


@dataclass(frozen=True)
class Run:
    """One assessment.

    Attributes:
        seconds: Wall time of the process, from its start to its end.
        peak_rss_mb: The most memory it had.
        statuses: What was said of each check on each table and bucket, in the contender's own word in lower case, by
            our id of the check and the resource's name.
    """

    seconds: float
    peak_rss_mb: float
    statuses: Mapping[tuple[str, str], str]

    @property
    def passes(self) -> dict[tuple[str, str], bool]:
        """Whether each check passes on each resource."""
        return {case: status == "pass" for case, status in self.statuses.items()}


class Contender(ABC):
    """A program that assesses.

    Attributes:
        name: Of it, as in the results' keys.
        program: Without which it cannot run.
        good_codes: With which it ends where all went well.
    """

    name: str
    program: Path
    good_codes: frozenset[int] = frozenset({0})

    def __init__(self, resources: Sequence[str]) -> None:
        self.compared = yaml.safe_load((FOLDER / "compared.yaml").read_text("utf-8"))
        self._resources = resources

    def run(self, endpoint: str, out: Path) -> Run:
        """Assess the account at an endpoint.

        Raises:
            RuntimeError: The program failed; the message has the end of what it said.
        """
        out.mkdir(parents=True)
        began = time.perf_counter()
        with (out / "log.txt").open("wb") as log:
            process = subprocess.Popen(
                self.command(out), cwd=out, env=_environment(endpoint, out), stdout=log, stderr=subprocess.STDOUT
            )
            peak = _peak_rss_mb(process)
            code = process.wait()
        seconds = time.perf_counter() - began
        if code not in self.good_codes:
            said = (out / "log.txt").read_text(errors="replace")
            raise RuntimeError(f"{self.name} ended with {code}: {said[-2000:]}")
        return Run(seconds, peak, self.read(out))

    @abstractmethod
    def command(self, out: Path) -> list[str]:
        """Return how it is called."""

    @abstractmethod
    def read(self, out: Path) -> dict[tuple[str, str], str]:
        """Return what it found, by our check and the name of the resource."""


class Ours(Contender):
    """Gatehouse."""

    name = "ours"
    program = ROOT / ".venv/bin/python"

    def command(self, out: Path) -> list[str]:  # noqa: D102
        script = Path(__file__).parent / "peers" / "assess_ours.py"
        return [str(self.program), str(script), str(FOLDER / "profile.yaml"), ACCOUNT, REGION, str(out / "found.jsonl")]

    def read(self, out: Path) -> dict[tuple[str, str], str]:  # noqa: D102
        found = [json.loads(line) for line in (out / "found.jsonl").read_text("utf-8").splitlines()]
        return {(one["check"], one["name"]): one["status"] for one in found if one["name"] in self._resources}


class OursUnlimited(Ours):
    """Gatehouse as if AWS answered any number of DescribeContinuousBackups a second, as the emulator does."""

    name = "unlimited"

    def command(self, out: Path) -> list[str]:  # noqa: D102
        return [*super().command(out), "--unlimited"]


class CloudCustodian(Contender):
    """Cloud Custodian, without its cache: it looks at what is there now, as the others do."""

    name = "c7n"
    program = ROOT / ".venvs/bench-assess-c7n/bin/custodian"

    def command(self, out: Path) -> list[str]:  # noqa: D102
        policies = str(FOLDER / "policies.yaml")
        return [str(self.program), "run", "-s", str(out), "-r", REGION, "--cache-period", "0", policies]

    def read(self, out: Path) -> dict[tuple[str, str], str]:  # noqa: D102
        found = {}
        for check, by in self.compared["checks"].items():
            if self.name not in by:
                continue
            selected = json.loads((out / by[self.name] / "resources.json").read_text("utf-8"))
            bad = {one.get("TableName") or one["Name"] for one in selected}
            for name in self._resources:
                if name.startswith("bench-table") == check.startswith("DDB-"):
                    found[check, name] = "fail" if name in bad else "pass"
        return found


class Prowler(Contender):
    """Prowler, asked for the same checks."""

    name = "prowler"
    program = ROOT / ".venvs/bench-assess-prowler/bin/prowler"
    good_codes = frozenset({0, 3})  # 3: a check failed

    def command(self, out: Path) -> list[str]:  # noqa: D102
        checks = [by[self.name] for by in self.compared["checks"].values() if self.name in by]
        checks += self.compared["others"][self.name]
        quiet = ["--no-banner", "--no-color"]
        saved = ["-M", "csv", "-F", _CSV, "-o", str(out)]
        return [str(self.program), "aws", "-f", REGION, *quiet, *saved, "--checks", *checks]

    def read(self, out: Path) -> dict[tuple[str, str], str]:  # noqa: D102
        ours = {by[self.name]: check for check, by in self.compared["checks"].items() if self.name in by}
        with (out / f"{_CSV}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter=";"))
        return {
            (ours[row["CHECK_ID"]], row["RESOURCE_NAME"]): row["STATUS"].lower()
            for row in rows
            if row["CHECK_ID"] in ours and row["RESOURCE_NAME"] in self._resources
        }


CONTENDERS: Final[tuple[type[Contender], ...]] = (Ours, OursUnlimited, CloudCustodian, Prowler)


def _peak_rss_mb(process: subprocess.Popen[bytes]) -> float:
    """Wait until a process ends, and return the most memory that it had.

    Its usage as the kernel tells it afterwards begins with that of who started it.
    """
    status, peak = Path(f"/proc/{process.pid}/status"), 0.0
    while process.poll() is None:
        if found := re.search(r"VmHWM:\s+(\d+) kB", status.read_text("ascii")):
            peak = int(found[1]) / 1024
        time.sleep(_LOOK_SECONDS)
    return peak


def _environment(endpoint: str, home: Path) -> dict[str, str]:
    return {
        **credentials(),
        "AWS_ENDPOINT_URL": endpoint,
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        # Hosts that S3 Control makes of the account are the emulator's, for all contenders.
        "PYTHONPATH": os.pathsep.join(str(ROOT / folder) for folder in ("functions", "local/function_site")),
    }
