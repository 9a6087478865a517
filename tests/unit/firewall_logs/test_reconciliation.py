"""Each witness is made to lie in turn; the honest case is the one that must be silent."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from firewall_logs import schema
from firewall_logs.adapters.ledger import Entry
from firewall_logs.contracts import Account
from firewall_logs.reconciliation import LakeFooter, Witnesses, reconcile
from tests.support.firewall import OBJECT_ID, RUN_ID, a_file, a_planned_object, a_proof

EVENTS, KEPT, HOURLY = "lake/events", "lake/quarantine", "lake/hourly"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def _footer(kind: str, rows: int, **given: object) -> LakeFooter:
    times = {"min_time": NOON, "max_time": NOON} if kind == "events" else {"min_time": None, "max_time": None}
    return LakeFooter(**{"rows": rows, "bytes": 80, "columns": schema.COLUMNS[kind]} | times | given)  # type: ignore[arg-type]


def _honest() -> Witnesses:
    files = [
        a_file(key=EVENTS),
        a_file(kind="quarantine", key=KEPT, event_date=None, rows=1),
        a_file(kind="hourly", key=HOURLY, rows=3),
    ]
    return Witnesses(
        planned=a_planned_object(),
        proofs={0: a_proof(files=files)},
        footers={EVENTS: _footer("events", 8), KEPT: _footer("quarantine", 1), HOURLY: _footer("hourly", 3)},
        hourly_events={HOURLY: 8},
        listed={EVENTS: 80, KEPT: 80, HOURLY: 80},
        entry=Entry(OBJECT_ID, "CLAIMED", RUN_ID, 1, frozenset({0})),
        run_id=RUN_ID,
    )


def _checks(seen: Witnesses) -> set[str]:
    verdict, found = reconcile(seen)
    assert verdict.reconciled == (not found)
    return {disagreement.check for disagreement in found}


def test_agreeing_witnesses_reconcile() -> None:
    verdict, found = reconcile(_honest())
    assert found == []
    assert verdict.footer_rows == 8
    assert verdict.account == Account(rows_in=10, rows_out=8, quarantined=1, duplicates=1)


def _with_footer(key: str, footer: LakeFooter | None) -> Witnesses:
    honest = _honest()
    return replace(honest, footers={**honest.footers, key: footer})


def _with_proof(**given: object) -> Witnesses:
    honest = _honest()
    return replace(honest, proofs={0: honest.proofs[0].model_copy(update=given)})


def _with_entry(**given: object) -> Witnesses:
    honest = _honest()
    assert honest.entry is not None
    return replace(honest, entry=replace(honest.entry, **given))  # type: ignore[arg-type]


LIES: dict[str, tuple[Callable[[], Witnesses], set[str]]] = {
    "a slice without receipt": (
        lambda: replace(_honest(), planned=a_planned_object(slices=2)),
        {"receipt_missing", "ledger_written"},
    ),
    "an account that does not balance": (
        lambda: _with_proof(account=Account(rows_in=10, rows_out=8, quarantined=1, duplicates=0)),
        {"account_unbalanced"},
    ),
    "rows nobody read": (lambda: _with_proof(source_rows=11), {"source_rows"}),
    "rows the raw footer does not know": (
        lambda: replace(_honest(), planned=a_planned_object(rows=11)),
        {"planned_rows"},
    ),
    "another raw object": (lambda: replace(_honest(), planned=a_planned_object(size=1001)), {"source_size"}),
    "a file that cannot be read": (lambda: _with_footer(EVENTS, None), {"file_unreadable", "rows_out"}),
    "a file with fewer rows": (lambda: _with_footer(EVENTS, _footer("events", 7)), {"file_rows", "rows_out"}),
    "a file of another size": (lambda: _with_footer(EVENTS, _footer("events", 8, bytes=79)), {"file_bytes"}),
    "a file of other columns": (lambda: _with_footer(EVENTS, _footer("events", 8, columns=("a",))), {"file_columns"}),
    "a row of another day": (
        lambda: _with_footer(EVENTS, _footer("events", 8, max_time=datetime(2026, 6, 2, tzinfo=UTC))),
        {"file_partition"},
    ),
    "times without statistics": (lambda: _with_footer(EVENTS, _footer("events", 8, min_time=None)), {"file_partition"}),
    "a quarantine that lost a row": (
        lambda: _with_footer(KEPT, _footer("quarantine", 0)),
        {"file_rows", "quarantined"},
    ),
    "aggregates that lost an event": (lambda: replace(_honest(), hourly_events={HOURLY: 7}), {"hourly_events"}),
    "a file the lake does not list": (lambda: replace(_honest(), listed={EVENTS: 80, KEPT: 80}), {"file_unlisted"}),
    "a file no receipt names": (
        lambda: replace(_honest(), listed={**_honest().listed, "lake/stray": 1}),
        {"file_unclaimed"},
    ),
    "no ledger entry": (lambda: replace(_honest(), entry=None), {"ledger_missing"}),
    "another holder": (lambda: _with_entry(owner="run-2"), {"ledger_holder"}),
    "another epoch": (lambda: _with_entry(epoch=2), {"ledger_holder"}),
    "a released lease": (lambda: _with_entry(state="FAILED"), {"ledger_holder"}),
    "a slice the ledger does not know": (lambda: _with_entry(written=frozenset()), {"ledger_written"}),
}


@pytest.mark.parametrize("lie", LIES)
def test_disagreement_is_found(lie: str) -> None:
    seen, expected = LIES[lie]
    assert _checks(seen()) == expected


def test_object_quarantined_whole_reconciles_with_its_one_record() -> None:
    record = a_file(kind="quarantine", key=KEPT, event_date=None, rows=1)
    proof = a_proof(
        account=Account(), source_rows=0, quarantined_by_reason={}, object_defect="parquet_unreadable", files=[record]
    )
    seen = replace(
        _honest(),
        proofs={0: proof},
        footers={KEPT: _footer("quarantine", 1)},
        hourly_events={},
        listed={KEPT: 80},
        planned=a_planned_object(rows=None),
    )
    verdict, found = reconcile(seen)
    assert found == []
    assert verdict.object_defect == "parquet_unreadable"


def test_committed_object_still_reconciles_when_the_step_is_repeated() -> None:
    assert _checks(_with_entry(state="COMMITTED")) == set()


def test_rows_of_a_defect_slice_are_accounted_by_the_footer() -> None:
    record = a_file(kind="quarantine", key=KEPT, event_date=None, rows=1)
    proof = a_proof(
        account=Account(rows_in=10, quarantined=10),
        quarantined_by_reason={"parquet_unreadable": 10},
        object_defect="parquet_unreadable",
        files=[record],
    )
    seen = replace(
        _honest(), proofs={0: proof}, footers={KEPT: _footer("quarantine", 1)}, hourly_events={}, listed={KEPT: 80}
    )
    assert _checks(seen) == set()
    assert _checks(replace(seen, planned=a_planned_object(rows=11))) == {"planned_rows"}
