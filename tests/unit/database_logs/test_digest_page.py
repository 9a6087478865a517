import os
import re
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import polars as pl
import pytest

from database_logs.digest import STATEMENTS, part
from database_logs.reports.digest_page import HISTORY, INSTANCES, render
from local.paths import ROOT
from tests.support.digests import digest
from tests.support.pages import Page

DAY: Final = date(2026, 11, 20)
_NOON: Final = datetime(2026, 11, 20, 12, tzinfo=UTC)
_CSS: Final = ROOT.joinpath("functions/kernel/pages/templates/page.css").read_text()


def _statement(number: int, **given: Any) -> dict[str, Any]:
    return {
        "fingerprint": f"call ship_{number}(?)",
        "fingerprint_id": f"{number:016X}",
        "query_time": 1.0 + number,
        "event_time": _NOON,
        "instance_id": "orders-1",
        "database": "shop",
        "query": f"call ship_{number}(?)",
        **given,
    }


def _page(*statements: dict[str, Any], known: list[str] | None = None) -> str:
    whole = part(pl.DataFrame(statements, schema=STATEMENTS), "mysql")
    history = pl.DataFrame(
        [
            {"day": DAY - timedelta(days=1), "fingerprint_id": each, "calls": 1, "query_time_sum": 1.0}
            for each in known or []
        ],
        schema=HISTORY,
    )
    instances = whole.group_by("instance_id").agg(pl.col("calls", "query_time_sum").sum()).cast(INSTANCES)
    return render(DAY, digest([whole], history["fingerprint_id"]), history, instances.sort("instance_id"))


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "No statement was logged as slow"),
        (1, "1 statement took 1 s on 1 instance It was seen in the week before."),
        (2, "2 statements took 3 s on 1 instance 2 of them took four fifths of it. 1 statement was not seen"),
    ],
)
def test_page_says_in_a_sentence_how_the_day_was(count: int, words: str) -> None:
    page = Page(_page(*map(_statement, range(count)), known=[f"{0:016X}"]))

    assert words in " ".join(page.text.split())
    assert page.fetched == []


def test_days_without_a_digest_say_so() -> None:
    page = Page(_page(_statement(0), known=[f"{0:016X}"]))

    words = " ".join(page.text.split())
    assert "Fri 20 Nov 1 s Thu 19 Nov 1 s Wed 18 Nov no digest" in words


def test_names_of_instances_are_never_cut() -> None:
    name = "a" * 63
    styles = ROOT.joinpath("functions/database_logs/reports/templates/digest.css").read_text()

    assert f'<th scope="row">{name}</th>' in _page(_statement(0, instance_id=name))
    [names] = [rule for rule in styles.splitlines() if rule.startswith(".ranked tbody th")]
    assert "overflow-wrap: anywhere" in names


@pytest.mark.parametrize(("known", "rings"), [([], 0), ([f"{0:016X}"], 1)])
def test_statements_are_called_new_only_where_there_is_a_week_before(known: list[str], rings: int) -> None:
    page = Page(_page(_statement(0), _statement(1), known=known))

    classes = [attributes.get("class") for name, attributes in page.elements if name in {"circle", "span"}]
    # Drawn for wide pages and for narrow ones.
    assert classes.count("new") == 2 * rings
    # In its bar and its line.
    assert classes.count("tag") == 2 * rings


def test_page_of_many_statements_lists_the_first_hundred_and_stays_small() -> None:
    text = _page(*map(_statement, range(10_000)))

    assert "The first 100 of 10,000; the rest is in digest.parquet." in " ".join(Page(text).text.split())
    assert text.count("<details") == 100
    assert len(text) < 400_000


@pytest.mark.parametrize(
    "text",
    [
        "select `</script><script>alert(1)</script>` from `</style>`",
        'select `"><img src=x onerror=alert(1)>` from `</title>`',
        "select {{ 7 * 7 }} from {% raw %}",
        "select 😀, `名前` from `таблица` where `👩\u200d👩\u200d👧` is null",
    ],
)
def test_text_of_a_statement_is_read_as_it_is_wherever_it_stands(text: str) -> None:
    page = Page(_page(_statement(1, fingerprint=text, query=text, instance_id=text, database=text)))

    # Its line, the bar and the instance; what is redacted of the sample is not of interest here.
    assert page.text.count(text) >= 4
    assert page.fetched == []
    assert [name for name, _ in page.elements].count("script") == 1
    assert not [attributes for _, attributes in page.elements if "onerror" in attributes]


def test_what_would_turn_text_around_or_not_be_seen_is_spelled_out() -> None:
    text = "select \u202eetirw\u202c, \x1b[31m from \u2067t"
    page = _page(_statement(1, fingerprint=text, query=text, instance_id="i\u202e", database="d\u202e"))

    assert not set(page) & set("\u202e\u202c\u2067\x1b")
    assert r"select \u202eetirw\u202c, \x1b[31m from \u2067t" in page


def test_statements_of_100_kb_do_not_make_the_page_large() -> None:
    long = [_statement(n, fingerprint=f"select {n}, " + "column_of_some_length, " * 4_500) for n in range(100)]

    assert len(_page(*long)) < 500_000


def test_time_zone_of_the_machine_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = set()
    for zone in ("UTC", "Asia/Kolkata", "America/St_Johns"):
        monkeypatch.setitem(os.environ, "TZ", zone)
        time.tzset()
        pages.add(_page(_statement(1)))
    monkeypatch.delenv("TZ")
    time.tzset()

    [page] = pages
    assert "12:00:00 to 12:00:00 UTC" in page


def test_who_hears_the_page_is_told_what_each_figure_is() -> None:
    page = Page(_page(_statement(1), _statement(2)))
    words = " ".join(page.text.split())
    names = [name for name, _ in page.elements]

    assert "rank 1" in words
    assert all(f"{label} " in words for label in ("total", "share", "calls", "95 % within"))
    assert names.count("table") == names.count("thead") == 3
    assert {attributes.get("scope") for name, attributes in page.elements if name == "th"} == {"col", "row"}
    pictures = [attributes for name, attributes in page.elements if name == "svg" and "aria-hidden" not in attributes]
    assert pictures
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in pictures)


def _luminance(colour: str) -> float:
    """Return the relative luminance (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "paper", "least"),
    [
        ("ink", "card", 4.5),
        ("muted", "card", 4.5),
        ("muted", "page", 4.5),
        ("muted", "soft", 4.5),
        ("warn", "warn-soft", 4.5),
        ("card", "ink", 4.5),
        ("blue", "card", 3.0),
        ("teal", "card", 3.0),
        ("grey", "card", 3.0),
        ("warn", "card", 3.0),
    ],
)
def test_texts_and_marks_are_told_from_what_is_behind_them(scheme: int, ink: str, paper: str, least: float) -> None:
    """Text by 4.5 to 1, marks by 3 to 1 (WCAG 2.2, 1.4.3 and 1.4.11)."""
    light, dark = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in _CSS.split("@media", 2)[:2])
    colours = [light, light | dark][scheme]
    lighter, darker = sorted((_luminance(colours[ink]), _luminance(colours[paper])), reverse=True)

    assert (lighter + 0.05) / (darker + 0.05) >= least
