"""What an audit says of chains of evidence that somebody has had a hand in."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from data_protection.remediation.audits import audit
from data_protection.remediation.evidence import FIRST, Event, Record

STEP = "DDB-PITR/dynamodb-table/orders/0"
Chains = dict[str, list[Record]]


def chain(step: str, *told: tuple[Event, Any], after: Sequence[Record] = ()) -> list[Record]:
    records = list(after)
    for event, content in told:
        records.append(
            Record(
                number=len(records),
                previous=records[-1].hash if records else FIRST,
                plan="p",
                step=step,
                event=event,
                at=datetime(2026, 11, 21, 12, tzinfo=UTC),
                principal="alice",
                content=content,
            )
        )
    return records


def chains() -> Chains:
    """Return the evidence of a plan with one step, carried out."""
    worked = chain(STEP, (Event.SEEN, {"status": "fail"}), (Event.APPLIED, {}), (Event.VERIFIED, {"status": "pass"}))
    heads = {STEP: worked[-1].hash}
    return {"": chain("", (Event.PLANNED, {}), (Event.FINISHED, {"heads": heads})), STEP: worked}


def test_evidence_as_it_was_written_is_whole_and_has_the_head_that_its_run_told() -> None:
    kept = chains()

    found = audit("p", kept)

    assert (found.breaks, found.open, found.head) == ((), (), kept[""][-1].hash)


def changed(kept: Chains) -> None:
    kept[STEP][1] = kept[STEP][1].model_copy(update={"content": {"call": "another"}})


def left_out(kept: Chains) -> None:
    del kept[STEP][1]


def cut(kept: Chains) -> None:
    del kept[STEP][2]


def deleted(kept: Chains) -> None:
    del kept[STEP]


def rewritten(kept: Chains) -> None:
    kept[STEP] = chain(STEP, (Event.SEEN, {"status": "pass"}))


def planned_by_another(kept: Chains) -> None:
    kept[""][0] = kept[""][0].model_copy(update={"principal": "bob"})


def put_in(kept: Chains) -> None:
    kept[STEP].append(chain("S3-TLS/s3-bucket/site/0", (Event.APPLIED, {}), after=kept[STEP])[-1])


def without_the_whole(kept: Chains) -> None:
    del kept[""]


@pytest.mark.parametrize(
    ("meddle", "told"),
    [
        (changed, f"The chain of {STEP} is broken: Record 1 is not the one that record 2 was bound to."),
        (left_out, f"The chain of {STEP} is broken: Record 1 is missing: record 2 comes in its place."),
        (cut, f"The chain of {STEP} is not the one that record 1 of the plan names."),
        (deleted, f"The chain of {STEP} is missing, which record 1 of the plan names."),
        (rewritten, f"The chain of {STEP} is not the one that record 1 of the plan names."),
        (
            planned_by_another,
            "The chain of the plan as a whole is broken: Record 0 is not the one that record 1 was bound to.",
        ),
        (put_in, f"The chain of {STEP} is broken: Record 3 is of S3-TLS/s3-bucket/site/0 of the plan p."),
        (without_the_whole, "The chain of the plan as a whole is missing: nothing says who asked, and how it ended."),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_whatever_is_done_to_evidence_is_told(meddle: Any, told: str) -> None:
    kept = chains()
    meddle(kept)

    assert audit("p", kept).breaks == (told,)


def test_evidence_of_another_plan_is_none_of_this_one() -> None:
    assert len(audit("q", chains()).breaks) == 5


def test_step_that_was_taken_up_again_is_open_until_its_run_has_ended() -> None:
    kept = chains()
    kept[STEP] = chain(STEP, (Event.NOT_VERIFIED, {}), after=kept[STEP])

    found = audit("p", kept)

    assert (found.breaks, found.open) == ((), (STEP,))
