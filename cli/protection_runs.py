"""Runs of data_protection that keep files in the lake bucket: what each came to, and where its files are.

To be imported by the commands that need it, as it is heavy.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from pathlib import Path
from textwrap import shorten
from typing import Any, Final

from cli.causes import spoken
from cli.follow import Execution
from cli.target import Target
from data_protection.drills.contracts import StartDrill
from data_protection.locations import (
    creation_prefix,
    drill_prefix,
    forecast_prefix,
    lock_prefix,
    reports_prefix,
    simulation_key,
)
from data_protection.reports.forecast_words import as_size, dollars
from kernel.objects import Bucket
from kernel.pages.words import counted

_WHY: Final = 160  # characters of a cause in a list
# What people open first, of what a run has kept.
_FIRST: Final = ("index.html", "report.json", "result.json", "plan.json")


@dataclass(frozen=True)
class Kind:
    """A state machine of data_protection whose runs keep files.

    Attributes:
        told: Returns in a line what a run came to, of its input and its output.
        prefix: Returns below which key its files are, of the run, its input and its output; empty where it has none.
        kept: State that is entered once the files are there, though the run may fail.
    """

    told: Callable[[Mapping[str, Any], Mapping[str, Any]], str]
    prefix: Callable[[Execution, Mapping[str, Any], Mapping[str, Any]], str]
    kept: str


def came_to(machine: str, execution: Execution) -> str:
    """Return what a run came to in a line; how it stands, and why, where there is nothing else to tell.

    Args:
        machine: By its short name, one of KINDS.
        execution: Of it.
    """
    reason = why(machine, execution)
    if execution.result is not None and not reason:
        return KINDS[machine].told(given(execution), execution.result)
    return ": ".join(filter(None, (execution.how, reason)))


def why(machine: str, execution: Execution) -> str:
    """Return why a run failed, in short and without the last full stop, or what the output of another release lacks.

    Empty where there is neither. Arguments are those of `came_to`.
    """
    if execution.result is not None:
        try:
            KINDS[machine].told(given(execution), execution.result)
        except KeyError as missing:
            # One run must not hide the others.
            return f"the output of its release has no {missing}"
        return ""
    told = ": ".join(filter(None, (execution.error, spoken(execution.cause))))
    return shorten(told, _WHY, placeholder=" …").rstrip(".")


def has_files(machine: str, execution: Execution) -> bool:
    """Return whether a run that was followed has kept its files, which one that failed may have done."""
    kept = KINDS[machine].kept
    return execution.status == "SUCCEEDED" or any(step.name == kept for step in execution.steps)


def files(target: Target, execution: Execution) -> list[str]:
    """Return the keys in the lake bucket of the files that a run has kept; none where it has no report.

    Whoever calls it needs s3:ListBucket.

    Args:
        target: Where it ran.
        execution: Of one of KINDS.
    """
    machine = target.short_name(execution.machine)
    prefix = KINDS[machine].prefix(execution, given(execution), execution.result or {})
    # What lies deeper is what its steps have worked on.
    return [key for key, _ in _lake(target).keys(prefix) if "/" not in key.removeprefix(prefix)] if prefix else []


def fetch(target: Target, keys: Sequence[str], folder: Path) -> Path:
    """Write files of a run into a folder, which is made, and return the path of the one to open.

    Whoever calls it needs s3:GetObject and kms:Decrypt.

    Args:
        target: Where it ran.
        keys: Of `files`; at least one.
        folder: Where they are put, by the last part of their keys.
    """
    lake = _lake(target)
    folder.mkdir(parents=True, exist_ok=True)
    written = {key.rpartition("/")[2]: key for key in keys}
    for name, key in written.items():
        (folder / name).write_bytes(lake.get(key) or b"")
    return folder / next((name for name in _FIRST if name in written), next(iter(written)))


def given(execution: Execution) -> Mapping[str, Any]:
    """Return the input of a run; nothing where it is no object, which every machine refuses."""
    document = json.loads(execution.input)
    return document if isinstance(document, dict) else {}


def _lake(target: Target) -> Bucket:
    return Bucket(target.client("s3"), target.output("LakeBucketName"))


def _assessed(_: Mapping[str, Any], output: Mapping[str, Any]) -> str:
    report = output["report"]
    score = "No score" if report["percent"] is None else f"Score {report['percent']:g} %"
    return f"{score}, coverage {report['coverage']:g} %: {_counts(report['counts']) or 'nothing was asked'}"


def _created(_: Mapping[str, Any], output: Mapping[str, Any]) -> str:
    if "calls" in output:
        return f"{counted(output['calls'], 'call')} would be made; resources: {_counts(output['counts'])}"
    return f"{counted(output['created'], 'resource')} made as asked; findings: {_counts(output['statuses'])}"


def _drilled(asked: Mapping[str, Any], output: Mapping[str, Any]) -> str:
    minutes = asked.get("rto_minutes", StartDrill.model_fields["rto_minutes"].default)
    judged = "within" if output["seconds"] <= minutes * 60 else "beyond"
    items = f"{counted(output['items'], 'item')} counted{'' if output['all_counted'] else ', which are not all'}"
    restored = f"{output['table']} was restored in {output['seconds']:,.0f} s"
    return f"{restored}, {judged} its objective of {minutes:g} minutes; {items}"


def _forecast(asked: Mapping[str, Any], output: Mapping[str, Any]) -> str:
    told = f"{asked['bucket']} costs {dollars(output['lifecycle_usd'])} in seven years"
    if saving := output["saving_percent"]:
        told += f", {abs(saving):g} % {'less' if saving > 0 else 'more'} than in STANDARD"
    elif saving is not None:
        told += ", as much as in STANDARD"
    if losing := output["losing_rules"]:
        told += f"; rules that lose money: {', '.join(losing)}"
    return told


def _locked(asked: Mapping[str, Any], output: Mapping[str, Any]) -> str:
    if asked.get("apply"):
        later = _counts(output["later"])
        told = f"Every version is accounted for: {_counts(output['outcomes']) or 'there was none'}"
        return f"{told}; of those written meanwhile: {later}" if later else told
    told = f"{counted(output['locked'], 'version')} of {asked['bucket']} would become undeletable"
    if output["locked"]:
        told += f", {as_size(output['size'])}, the last until {output['until'][:10]}"
    return f"{told}; {output['refused']:,} would be refused" if output["refused"] else told


def _lock_prefix(execution: Execution, asked: Mapping[str, Any], output: Mapping[str, Any]) -> str:
    if asked.get("apply"):
        return f"{lock_prefix(asked['apply'])}reports/{execution.name}/"
    return simulation_key(output["simulation"]).removesuffix("simulation.json") if "simulation" in output else ""


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {what}" for what, number in counts.items() if number)


def _day(execution: Execution) -> date:
    return execution.started_at.astimezone(UTC).date()


KINDS: Final[Mapping[str, Kind]] = {
    "assess_account": Kind(_assessed, lambda run, *_: reports_prefix(run.name, _day(run)), "AreAllAssessed"),
    "create_secure_resources": Kind(_created, lambda run, *_: creation_prefix(run.name, _day(run)), "HasPassed"),
    "drill_restore": Kind(
        _drilled,
        lambda run, asked, _: drill_prefix(asked["table"], run.name, _day(run)) if "table" in asked else "",
        "CountDrill",
    ),
    "forecast_lifecycle": Kind(_forecast, lambda run, *_: forecast_prefix(run.name, _day(run)), "Forecast"),
    "lock_objects": Kind(_locked, _lock_prefix, "IsComplete"),
}
