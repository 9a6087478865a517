"""DDB-STREAM: what changes in a table can be followed, with what was there before."""

from collections.abc import Sequence
from typing import Any, Final, Literal

from data_protection import tables
from data_protection.changes import CannotChange, Change, Reversibility
from data_protection.checks.check import Case, Check, Mutator, Requirement, Severity
from data_protection.readings import Answer
from data_protection.reads.dynamodb import TABLE
from data_protection.resources import Kind
from data_protection.verdicts import Status, Verdict


class Stream(Requirement):
    """What is asked of a table's stream.

    Attributes:
        view: What of a changed item the stream holds.
    """

    view: Literal["NEW_AND_OLD_IMAGES", "NEW_IMAGE", "OLD_IMAGE", "KEYS_ONLY"] = "NEW_AND_OLD_IMAGES"


def view_type(table: Answer) -> str | None:
    """Return the view type of a table's stream, or None where it has none.

    Not by LatestStreamArn, which stays after a stream was turned off.
    """
    stream = table.get("StreamSpecification", {})
    return str(stream["StreamViewType"]) if stream.get("StreamEnabled") else None


def _validate(case: Case[Stream]) -> Verdict:
    table = case.get(TABLE)["Table"]
    return tables.settled(table, _judge(view_type(table), case.requirement.view))


def _judge(found: str | None, wanted: str) -> Verdict:
    observed, expected = {"view": found}, {"view": wanted}
    if found is None:
        return Verdict(Status.FAIL, "It has no stream.", observed, expected)
    if found != wanted:
        return Verdict(Status.FAIL, f"Its stream holds {found}, not {wanted}.", observed, expected)
    return Verdict(Status.PASS, f"Its stream holds {found}.", observed, expected)


def _propose(case: Case[Stream]) -> Sequence[Change]:
    table, name, wanted = case.get(TABLE)["Table"], case.resource.name, case.requirement.view
    if (found := view_type(table)) is not None:
        raise CannotChange(
            f"{name} has a stream of {found}. Another view type takes turning it off and on: a new stream with a new "
            "ARN, at which every consumer must be pointed, without what it has not read. Drain the consumers, then "
            "turn the stream off; the next plan turns it on."
        )
    tables.require_active(table)
    after = {"StreamEnabled": True, "StreamViewType": wanted}
    return [
        Change(
            check="DDB-STREAM",
            title=f"Turn on the stream of {name} with {wanted}",
            call=tables.update(name, StreamSpecification=after),
            inverse=tables.update(name, StreamSpecification={"StreamEnabled": False}),
            reversibility=Reversibility.REVERSIBLE,
            before={"StreamEnabled": False},
            after=after,
            wait_seconds=300,
            cost="A stream is free; who reads it pays by read.",
        )
    ]


def _present(case: Case[Stream], _: Change) -> Any:
    found = view_type(case.get(TABLE)["Table"])
    return {"StreamEnabled": False} if found is None else {"StreamEnabled": True, "StreamViewType": found}


CHECK: Final = Check(
    id="DDB-STREAM",
    title="A stream holds new and old images",
    why="What was written over can be told and replayed only from a stream that holds both images.",
    severity=Severity.MEDIUM,
    kind=Kind.TABLE,
    requirement=Stream,
    reads=(TABLE,),
    validate=_validate,
    cost="Free; who reads it pays by read.",
    advice="Turn the stream on. To change its view type, drain the consumers, turn it off and on, and repoint them.",
    mutator=Mutator(
        phase=1,
        reversibility=Reversibility.REVERSIBLE,
        operations=frozenset({"dynamodb:update_table"}),
        actions=frozenset({"dynamodb:UpdateTable"}),
        propose=_propose,
        present=_present,
        undoing_loses=lambda _: "What is not read of the stream is lost, and a later stream has another ARN.",
    ),
)
