"""What all formats of a report say alike."""

from typing import Any, Final

from data_protection.changes import digest
from data_protection.checks.check import Check
from data_protection.contracts import FindingRow
from data_protection.reports.report import key

_IDENTITY: Final = 32  # hex digits; 128 bits


def identity(row: FindingRow) -> str:
    """Return the identity of a finding: the same in all runs, at most 100 characters."""
    return f"gatehouse/{row.account}/{row.region}/{row.check}/{digest(key(row))[:_IDENTITY]}"


def requires(check: Check[Any]) -> str:
    """Return what a check asks for, said so that beside a failure nobody takes it for what was seen."""
    return f"Requires: {check.title}."


def how(check: Check[Any]) -> str:
    """Return how a failure of a check is mended, and where its runbook is."""
    phase = f"Phase {check.mutator.phase} of remediation. " if check.mutator else ""
    return f"{phase}By hand: {check.advice} Runbook: {check.runbook}"


def short(text: str, most: int) -> str:
    """Return the beginning of a text, of at most so many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
