"""Builders of the documents of event days for tests: valid by default, with just what a test is about given."""

from datetime import UTC, date, datetime
from typing import Any

from firewall_logs.days.contracts import CompactionUnit, Cut, SealPlan

ALL = Cut(start=None, end=None, rows=20)

DAY = date(2026, 6, 1)
SEAL_ID = "seal-1"
INPUTS_ID = "a" * 32


def a_unit(**given: Any) -> CompactionUnit:
    return CompactionUnit(
        **{"seal_id": SEAL_ID, "event_date": DAY, "index": 0, "inputs_id": INPUTS_ID, "cut": ALL} | given
    )


def a_seal_plan(**given: Any) -> SealPlan:
    known = {
        "seal_id": SEAL_ID,
        "event_date": DAY,
        "version": 1,
        "as_of": datetime(2026, 6, 2, 2, tzinfo=UTC),
        "inputs_id": INPUTS_ID,
        "objects": [],
        "events": [],
        "hourly": [],
        "cuts": [ALL],
    }
    return SealPlan(**known | given)
