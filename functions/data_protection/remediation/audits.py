"""The audit of a plan's evidence: whether all of its chains are whole, and are those that its own chain names. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from data_protection.errors import EvidenceBroken
from data_protection.remediation.evidence import Event, Record, verify_chain

# A lock that is not complete has ended as well, and so has the plan that undoes this one.
_ENDS: Final = frozenset({Event.FINISHED, Event.NOT_VERIFIED, Event.TAKEN_BACK})


@dataclass(frozen=True)
class Audit:
    """What an audit came to.

    Attributes:
        head: Hash of the last record of the plan's own chain, which whoever finished a run was told; empty where that
            chain is broken.
        breaks: What is not as it was written, a sentence each.
        open: Steps whose last records no end of a run names yet: they are worked on, or their run was stopped.
    """

    head: str
    breaks: tuple[str, ...]
    open: tuple[str, ...]


def audit(plan: str, chains: Mapping[str, Sequence[Record]]) -> Audit:
    """Return whether the evidence of a plan is whole.

    Args:
        plan: Hash of it.
        chains: Records by the step that they are kept for, empty for the plan as a whole; none of them is empty.
    """
    breaks = [sentence for step, records in chains.items() for sentence in _breaks(plan, step, records)]
    if "" not in chains:
        breaks.append("The chain of the plan as a whole is missing: nothing says who asked, and how it ended.")
    named = list(_named(chains.get("", ())))
    for number, step, head in named:
        if step not in chains:
            breaks.append(f"The chain of {step} is missing, which record {number} of the plan names.")
        elif head not in {record.hash for record in chains[step]}:
            breaks.append(f"The chain of {step} is not the one that record {number} of the plan names.")
    heads = {(step, head) for _, step, head in named}
    return Audit(
        head=_head(chains.get("", ())),
        breaks=tuple(breaks),
        open=tuple(step for step, records in chains.items() if step and (step, records[-1].hash) not in heads),
    )


def _breaks(plan: str, step: str, records: Sequence[Record]) -> Iterator[str]:
    where = f"The chain of {step or 'the plan as a whole'} is broken"
    try:
        verify_chain(records)
    except EvidenceBroken as broken:
        yield f"{where}: {broken}"
    for record in records:
        if (record.plan, record.step) != (plan, step):
            yield f"{where}: Record {record.number} is of {record.step or 'the whole'} of the plan {record.plan}."


def _named(records: Sequence[Record]) -> Iterator[tuple[int, str, str]]:
    """Yield the heads of steps' chains that ends of runs name, undoing ones too: number of the record, step, hash."""
    for record in records:
        if record.event in _ENDS:
            for step, head in record.content.get("heads", {}).items():
                yield record.number, step, head


def _head(records: Sequence[Record]) -> str:
    try:
        return verify_chain(records) if records else ""
    except EvidenceBroken:
        return ""
