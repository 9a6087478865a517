import re
from datetime import timedelta

import pytest

from data_protection.checks.catalogue import catalogue
from data_protection.reports.charts import trend_chart
from data_protection.reports.page import as_html, heat_maps
from data_protection.reports.report import PastScore, Report
from data_protection.verdicts import Status
from tests.support.data_protection_reports import TIME, conflict, excepted, look, past, report, row
from tests.support.pages import Page

FAIL, PASS, UNKNOWN = Status.FAIL, Status.PASS, Status.UNKNOWN


def read(found: Report) -> str:
    """Return what a page says, its spaces joined."""
    page = Page(as_html(found).decode())
    assert page.fetched == []
    return " ".join(page.text.split())


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (report(look([row("DDB-PITR", PASS)])), "100 % Everything that is asked is known and holds"),
        (report(look([row("DDB-PITR", FAIL), row("DDB-TTL", PASS)])), "50 % 1 check asks for something to be done"),
        (
            report(look([row("DDB-PITR", UNKNOWN), row("DDB-TTL", PASS)])),
            (
                "100 % Nothing fails, but not everything is known Passed of what passed, failed or warned, in 1 place; "
                "50 % of what should be known is known. That is not compliance: what is not known may fail."
            ),
        ),
        (report(look([row("DDB-PITR", UNKNOWN)])), "not known Nothing could be judged"),
        (report(failures=["1 in x: Refused"]), "not known Nothing could be judged"),
    ],
    ids=["compliant", "failing", "not all known", "nothing known", "no place"],
)
def test_page_begins_with_score_and_coverage(found: Report, words: str) -> None:
    assert words in read(found)


def test_page_tells_what_to_do_with_phase_and_way() -> None:
    check = catalogue()["DDB-PITR"]
    text = read(report(look([row("DDB-PITR", FAIL, "orders", reason="It is off.")])))

    for words in (check.title, check.why, check.advice, check.cost, "phase 1", "It is off."):
        assert words in text


def test_page_names_failed_places_unknown_calls_exceptions_and_conflicts() -> None:
    unread = "s3.GetBucketLogging of s3-bucket/logs was not answered: AccessDenied: no."
    found = report(
        look(
            [row("S3-LOG", UNKNOWN, "logs", reason=unread), excepted("DDB-PITR", days=5), excepted("DDB-TTL")],
            conflicts=[conflict()],
        ),
        failures=["123456789012 in eu-west-1: AccessRefused: STS refuses the role."],
    )
    text = read(found)

    assert "AccessRefused: STS refuses the role." in text
    assert unread in text
    assert "team-a" in text
    assert "It goes in May." in text
    assert text.count("within 30 days") == 1
    assert conflict().ways_out in text


def test_page_says_where_there_is_nothing_to_compare_with() -> None:
    assert "There is no earlier run to compare with." in read(report(look([row("DDB-PITR", FAIL)])))


def test_page_tells_what_changed() -> None:
    found = report(look([row("DDB-PITR", FAIL)], former=[row("DDB-PITR", PASS), row("DDB-TTL", PASS, "dropped")]))

    assert "New failures 1 DDB-PITR orders" in read(found)
    assert "No longer in scope 1 DDB-TTL dropped" in read(found)


def test_hostile_names_are_shown_and_never_run() -> None:
    name = "<script>alert(1)</script>\"' onload=x \u202egnp"
    found = report(
        look(
            [row("DDB-PITR", FAIL, name, reason=name), excepted("DDB-TTL", name, owner=name)],
            conflicts=[conflict(name=name)],
        ),
        failures=[name],
    )
    page = Page(as_html(found).decode())

    assert [element for element, _ in page.elements].count("script") == 1
    assert not [attributes for _, attributes in page.elements if "onload" in attributes]
    assert "<script>alert(1)</script>" in page.text
    assert "\\u202egnp" in page.text
    assert "\u202e" not in as_html(found).decode()


def test_heat_map_has_the_worst_first_and_a_word_for_each_sign() -> None:
    found = report(look([row("DDB-PITR", PASS, "a"), row("DDB-PITR", UNKNOWN, "b"), row("DDB-PITR", FAIL, "c")]))
    (table,) = heat_maps(found)

    assert [name for (_, _, name), _ in table.lines] == ["c", "b", "a"]
    # For those who hear the page and those who do not tell colours.
    heard = re.findall(
        r'class="sign (\w+)" data-tip="[^"]*"><span aria-hidden="true">(.)</span><span class="heard">(\w+)<',
        as_html(found).decode(),
    )
    assert heard == [("fail", "✕", "fail"), ("unknown", "?", "unknown"), ("pass", "✓", "pass")]


def test_page_of_ten_thousand_resources_stays_small_and_says_what_is_left_out() -> None:
    rows = [row("DDB-PITR", FAIL, f"table-{number}") for number in range(10_000)]
    content = as_html(report(look(rows, former=[])))

    assert len(content) < 400_000
    assert "9,900 resources more are in findings.csv." in " ".join(Page(content.decode()).text.split())


def test_trend_has_a_mark_for_each_run_and_a_gap_where_nothing_was_known() -> None:
    found = report(look([row("DDB-PITR", PASS)], past=[past(3, 1, 1), past(2, 0, 0, 4), past(1, 1, 1)]))
    drawn = str(trend_chart(found.trend))

    assert drawn.count("<circle") == 4
    # The coverage goes through all of them; the score is a line of its own after the gap, and a lone dot before.
    assert drawn.count('class="coverage"') == 2
    assert drawn.count('<path d="M') == 2
    assert "not known with 0 % known" in drawn


@pytest.mark.parametrize(
    ("before", "labels"),
    [(timedelta(days=1), ["20 Nov", "21 Nov"]), (timedelta(hours=2), ["03:00", "05:00"])],
    ids=["days", "times of a day"],
)
def test_trend_tells_days_and_of_one_day_the_times(before: timedelta, labels: list[str]) -> None:
    earlier = PastScore("earlier", TIME - before, {PASS: 1})
    drawn = str(trend_chart(report(look([row("DDB-PITR", PASS)], past=[earlier])).trend))

    assert sorted(re.findall(r'class="label">([^<]+)<', drawn)) == labels
