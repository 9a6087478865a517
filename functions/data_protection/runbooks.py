"""Runbooks of checks: what people do about a failure, as the pages of docs/checks and reports tell it. Pure.

In texts, `...` marks code.
"""

import json
import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from data_protection.checks.check import Check


@dataclass(frozen=True)
class Runbook:
    """What to do about a check that fails.

    Attributes:
        mend: What Gatehouse can do about it.
        undo: What brings back what was before; empty where Gatehouse changes nothing.
        by_hand: What people can do.
        let_be: How somebody answers for it instead.
    """

    mend: str
    undo: str
    by_hand: str
    let_be: str

    @property
    def parts(self) -> Mapping[str, str]:
        """Its texts by their headings, without those that are empty."""
        parts = {"Mend": self.mend, "Undo": self.undo, "By hand": self.by_hand, "Or let it be": self.let_be}
        return {heading: text for heading, text in parts.items() if text}


def runbook(check: Check[Any]) -> Runbook:
    """Return the runbook of a check."""
    mend, undo = _mending(check)
    return Runbook(
        mend=mend,
        undo=undo,
        by_hand=check.advice,
        let_be=f"An exception for {check.id} in the profile says who answers for it, why, and until when.",
    )


def _mending(check: Check[Any]) -> tuple[str, str]:
    mutator = check.mutator
    if mutator is None:
        return "There is no automatic change.", ""
    calls = ", ".join(f"`{one}`" for one in sorted(mutator.operations))
    actions = ", ".join(f"`{one}`" for one in sorted(mutator.actions))
    named = "" if mutator.reversibility.comes_back else f" where {check.id} is `named`"
    mend = (
        f"Phase {mutator.phase} of `remediate_account` does it{named}. It may call {calls}, and needs {actions} for it."
    )
    undo = (
        f"Its usual change is of class {mutator.reversibility}: {mutator.reversibility.meaning}. A single change may "
        "be of another class: its plan gives each one's, and the inverse of each call that has one."
    )
    return mend, undo


def run_command(machine: str, asked: Mapping[str, Any], environment: str) -> str:
    """Return the command that starts a state machine, to be pasted into a shell.

    Args:
        machine: Name of it.
        asked: Its input.
        environment: Of the deployment.
    """
    return f"gatehouse run {machine} --env {shlex.quote(environment)} --input {shlex.quote(json.dumps(asked))}"


def plan_input(account: str, region: str, phase: int, named: Collection[str] = ()) -> dict[str, Any]:
    """Return the input of remediate_account that only plans a phase; `gatehouse run` adds who asks.

    Args:
        account: Whose.
        region: Where.
        phase: Of the standard.
        named: Checks whose changes lose data or cannot be undone, and are wanted all the same.
    """
    asked = {"account": account, "region": region, "phases": [phase]}
    return asked | ({"named": sorted(named)} if named else {})
