"""Files of a cut that do not say what its receipt says, and how they are read."""

import threading
import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, get_args

import pytest

from firewall_logs.contracts import FileKind, LakeFile
from firewall_logs.days.contracts import CompactionProof, Cut, SealStep
from firewall_logs.days.rules import Rules
from firewall_logs.days.validation import COUNTS, CutWitnesses, compare
from firewall_logs.days.validator import DayValidator
from firewall_logs.reconciliation import LakeFooter
from firewall_logs.schema import COLUMNS
from tests.support.firewall_days import DAY, INPUTS_ID, SEAL_ID, a_seal_plan
from tests.support.seal import SEALED_KINDS

ROWS = 5
NOON = datetime(DAY.year, DAY.month, DAY.day, 12, tzinfo=UTC)


def _file(kind: FileKind) -> LakeFile:
    return LakeFile(kind=kind, key=kind, event_date=DAY, rows=ROWS, bytes=9, sha256="0" * 64)


def _checks(counted: dict[str, int]) -> list[tuple[str, str]]:
    """Return what is wrong with a cut whose files are right but for what they count."""
    files = [_file(kind) for kind in get_args(FileKind) if kind in SEALED_KINDS]
    proof = CompactionProof(
        inputs_id=INPUTS_ID, index=0, rows_in=ROWS, rows_out=ROWS, duplicates=0, files=files, profiles={}
    )
    footers = {
        file.key: LakeFooter(rows=ROWS, bytes=9, columns=COLUMNS[file.kind], min_time=NOON, max_time=NOON)
        for file in files
    }
    plan = a_seal_plan(events=[_file("events")], cuts=[Cut(start=None, end=None, rows=ROWS)])
    found = compare(plan, CutWitnesses({0: proof}, footers, counted))
    return [(disagreement.check, disagreement.where) for disagreement in found]


def test_files_that_count_every_event_are_agreed_on() -> None:
    assert _checks(dict.fromkeys(COUNTS, ROWS)) == []


@pytest.mark.parametrize("kind", COUNTS)
def test_counts_that_miss_an_event_contradict_the_receipt(kind: str) -> None:
    wrong = dict.fromkeys(COUNTS, ROWS) | {kind: ROWS - 1}

    assert _checks(wrong) == [("counted_events", f"receipt of cut 0 against counts of {kind}")]


class _Reads:
    """Footers and sums, which notes how many files were read whole at once."""

    def __init__(self) -> None:
        self.at_once = self.most = 0
        self._lock = threading.Lock()

    def read(self, key: str) -> LakeFooter:
        kind = key.partition("-")[0]
        return LakeFooter(rows=ROWS, bytes=9, columns=COLUMNS[kind], min_time=NOON, max_time=NOON)

    def total(self, *_: str) -> int:
        with self._lock:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        time.sleep(0.01)
        with self._lock:
            self.at_once -= 1
        return ROWS


def test_day_of_many_cuts_has_few_files_of_counts_in_memory_at_once() -> None:
    cuts = [Cut(start=None, end=None, rows=ROWS)] * 20

    def receipt(_: str, index: int) -> Any:
        files = [
            _file(kind).model_copy(update={"key": f"{kind}-{index}"})
            for kind in get_args(FileKind)
            if kind in SEALED_KINDS
        ]
        proof = CompactionProof(
            inputs_id=INPUTS_ID, index=index, rows_in=ROWS, rows_out=ROWS, duplicates=0, files=files, profiles={}
        )
        return SimpleNamespace(proof=proof)

    reads: Any = _Reads()
    known: Any = SimpleNamespace(read=lambda _: a_seal_plan(events=[_file("events")] * len(cuts), cuts=cuts), all=list)
    receipts: Any = SimpleNamespace(read=receipt)
    feeds: Any = []
    validator = DayValidator(feeds, Rules("[]", []), known, plans=known, receipts=receipts, footers=reads)
    found = validator.validate(SealStep(seal_id=SEAL_ID, event_date=DAY, as_of=NOON))
    assert found.disagreements == []
    assert 1 <= reads.most <= 4
