"""What people see of a simulation and of a lock."""

import re
from datetime import timedelta
from typing import Any

import pytest

from data_protection.locking.charts import Bar, bar_chart, bars_of, size
from data_protection.locking.costs import costs
from data_protection.locking.facts import Facts
from data_protection.locking.hazards import hazards
from data_protection.locking.pages import lock_page, simulation_page
from data_protection.locking.report import LockReport, PartReport
from data_protection.locking.retention import Outcome
from data_protection.locking.simulation import Simulation
from data_protection.locking.tally import Amount, Kept, Tally
from data_protection.locking.terms import Terms
from data_protection.locking.versions import Listing
from tests.support.data_protection_account import NOW
from tests.support.pages import Page

TERMS = Terms(bucket="recordings", mode="COMPLIANCE", days=365, at=NOW)
FACTS = Facts(
    versioning="Enabled",
    lock={},
    lifecycle=None,
    replication=None,
    policy=None,
    encryption=None,
    logged_from=(),
    unread=(),
)
GB = 1 << 30


def simulation(tally: Tally) -> Simulation:
    return Simulation(
        account="123456789012",
        region="eu-central-1",
        terms=TERMS,
        requested_by="alice",
        facts=FACTS,
        listing=Listing(started=NOW, versions=3),
        tally=tally,
        hazards=tuple(hazards(FACTS)),
        costs=costs(tally, 3),
    )


def part(**outcomes: int) -> PartReport:
    counts = {Outcome(name): Amount(versions=number) for name, number in outcomes.items()}
    refused = ("refused/000000.jsonl.gz",) if "refused" in outcomes else ()
    return PartReport(listing=Listing(started=NOW), outcomes=counts, refused=refused, problems=())


def report(present: PartReport, later: PartReport) -> LockReport:
    return LockReport(
        simulation="0" * 64,
        account="123456789012",
        region="eu-central-1",
        terms=TERMS,
        run="run-1",
        at=NOW,
        present=present,
        later=later,
    )


def text(page: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<(style|script)>.*?</\1>", "", page.decode())))


def test_a_simulation_says_how_much_until_when_and_what_to_approve() -> None:
    tally = Tally(
        outcomes={Outcome.SET: Amount(versions=3, size=5 * GB)},
        locked=Kept(versions=3, size=5 * GB, byte_days=365 * 5 * GB),
        folders={"<audio>/": Kept(versions=3, size=5 * GB)},
        months={"2027-11": Amount(versions=3, size=5 * GB)},
        held_up={"logs": Kept(versions=1, size=GB, byte_days=100 * GB)},
        first=NOW + timedelta(days=300),
        last=NOW + timedelta(days=365),
    )
    given = simulation(tally)

    page = simulation_page(given)

    assert "3 versions of recordings would become undeletable" in text(page)
    assert "the last until 21 November 2027" in text(page)
    assert "not even the account's root" in text(page)
    assert given.hash in text(page)
    assert "1.38 $" in text(page)  # 5 GB for twelve months at 0.023
    assert "<audio>/" not in page.decode()
    assert "&lt;audio&gt;/" in page.decode()
    assert Page(page.decode()).fetched == []


def test_a_simulation_of_nothing_is_a_page_too() -> None:
    assert "0 versions of recordings" in text(simulation_page(simulation(Tally())))


def test_a_lock_is_a_page_that_needs_nothing_else() -> None:
    assert Page(lock_page(report(part(set=2, refused=1), part())).decode()).fetched == []


def test_a_lock_says_whether_every_version_is_accounted_for() -> None:
    assert "Every version that was listed is accounted for" in text(lock_page(report(part(set=3), part(already=1))))
    assert "not complete" in text(lock_page(report(part(set=2, refused=1), part())))


def test_refused_versions_of_either_part_make_a_lock_incomplete() -> None:
    assert report(part(set=1), part()).problems == []
    [problem] = report(part(refused=1), part(refused=2)).problems
    assert problem == "3 versions were refused: refused/000000.jsonl.gz says why"


@pytest.mark.parametrize(
    ("count", "told"), [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KB"), (20 * GB, "20 GB"), (3 << 50, "3.0 PB")]
)
def test_sizes_are_told_as_people_read_them(count: int, told: str) -> None:
    assert size(count) == told


def test_months_are_drawn_as_years_where_they_are_many() -> None:
    few = {f"2027-{month:02}": Amount(versions=1, size=month) for month in range(1, 13)}
    many: dict[str, Any] = {f"{year}-01": Amount(versions=1, size=1) for year in range(2027, 2067)}

    assert [bar.label for bar in bars_of(few)] == sorted(few)
    assert [bar.label for bar in bars_of({**many, **few})] == [str(year) for year in range(2027, 2067)]
    assert sum(bar.value for bar in bars_of({**many, **few})) == 39 + sum(range(1, 13))


def test_the_tallest_bar_has_the_full_height_and_nothing_is_drawn_for_nothing() -> None:
    drawn = bar_chart("Bars", [Bar("a", 4, "four"), Bar("b", 2, "two"), Bar("c", 0, "none")])

    assert [float(height) for height in re.findall(r'<rect [^>]*height="([\d.]+)"', drawn)] == [164.0, 82.0, 0.0]
    assert 'aria-label="Bars: four; two; none."' in drawn


def test_what_is_kept_longer_is_a_part_of_what_is_kept() -> None:
    tally = Tally(
        locked=Kept(versions=1_000, size=GB, byte_days=304_375 * GB // 1_000),
        held_up={"a": Kept(byte_days=100 * GB), "b": Kept(byte_days=4 * GB)},
    )
    found = costs(tally, 1_000_000)

    assert found.keep == pytest.approx(10 * 0.023, rel=1e-3)
    assert found.keep_longer == pytest.approx(104 / 30.4375 * 0.023, rel=1e-3)
    assert found.job == pytest.approx(2 * 1_000 * 0.005 / 1e3 + 3e6 * 0.0004 / 1e3 + 1_000 * 0.005 / 1e3)
