from datetime import date
from itertools import combinations

import pytest

from firewall_logs.days import identity
from firewall_logs.days.contracts import Cut, Place
from firewall_logs.days.identity import inputs_id
from tests.support.firewall import a_file
from tests.support.firewall_days import DAY

ONE, TWO = a_file(key="one"), a_file(key="two", sha256="b" * 64)
ALL = Cut(start=None, end=None, rows=2)
HALVES = [
    Cut(start=None, end=Place(host=None, hour=1), rows=1),
    Cut(start=Place(host=None, hour=1), end=None, rows=1),
]


def test_identity_covers_everything_that_decides_the_bytes() -> None:
    identities = [
        inputs_id(DAY, [ONE, TWO], [ALL]),
        inputs_id(date(2026, 6, 2), [ONE, TWO], [ALL]),
        inputs_id(DAY, [TWO, ONE], [ALL]),
        inputs_id(DAY, [ONE], [ALL]),
        inputs_id(DAY, [ONE, a_file(key="two", sha256="c" * 64)], [ALL]),
        inputs_id(DAY, [ONE, TWO], HALVES),
        inputs_id(DAY, [ONE, TWO], [HALVES[0].model_copy(update={"end": Place(host="", hour=1)}), HALVES[1]]),
    ]
    assert all(one != other for one, other in combinations(identities, 2))


def test_identity_is_that_of_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    before = inputs_id(DAY, [ONE], [ALL])
    assert inputs_id(DAY, [ONE.model_copy()], [ALL.model_copy()]) == before
    monkeypatch.setattr(identity, "COMPACTION_VERSION", "0")
    assert inputs_id(DAY, [ONE], [ALL]) != before
