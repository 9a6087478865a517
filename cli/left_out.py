"""What a plan leaves out, by the reason, as people read it."""

from collections.abc import Mapping
from typing import Final

from data_protection.remediation.plans import LeftOut
from kernel.pages.words import counted

_MEANINGS: Final = {
    LeftOut.UNKNOWN: "could not be read, and so is not changed",
    LeftOut.MISSING: "does not exist: make it, as by create_secure_resources, and plan again",
    LeftOut.EXCEPTED: "excepted: somebody answers for it",
    LeftOut.NO_MUTATOR: "Gatehouse has no change for it",
    LeftOut.REFUSED: "no safe change",
    LeftOut.PROTECTED: "carries a protected tag",
    LeftOut.OTHER_PHASE: "belongs to another phase",
    LeftOut.NOT_NAMED: "does not come back, and was not asked for by name",
    LeftOut.LATER: "left to the next plan",
    LeftOut.NOT_ASKED: "not asked for",
    LeftOut.NOT_VERIFIED: "not proved to have taken hold",
    LeftOut.UNDONE: "undone by another plan",
    LeftOut.NO_INVERSE: "no call undoes it",
    LeftOut.CHANGED: "changed by others since",
    LeftOut.NEEDED: "needed by another step that stays",
}


def meaning(why: str) -> str:
    """Return a reason in words."""
    return _MEANINGS[LeftOut(why)]


def left_out(omitted: Mapping[str, int], noun: str) -> str:
    """Return how much a plan leaves out, and why, the most frequent reason first; empty where it leaves out nothing.

    Args:
        omitted: How many, by the reason.
        noun: What they are: findings, or steps of a plan that is undone.
    """
    if not omitted:
        return ""
    most = sorted(omitted.items(), key=lambda each: (-each[1], each[0]))
    reasons = "; ".join(f"{number} {why} ({meaning(why)})" for why, number in most)
    return f"Left out: {counted(sum(omitted.values()), noun)}: {reasons}."
