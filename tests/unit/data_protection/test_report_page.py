import json
import re
from datetime import timedelta

import pytest

from data_protection.checks.catalogue import catalogue
from data_protection.reports.charts import trend_chart
from data_protection.reports.json_report import as_json
from data_protection.reports.page import as_html, heat_maps
from data_protection.reports.report import PastScore, Report
from data_protection.runbooks import runbook
from data_protection.terms import CLASSES, PHASES, TERMS
from data_protection.verdicts import Status
from tests.support.data_protection_reports import TIME, conflict, excepted, exception, look, past, report, row
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
        (report(look([row("DDB-PITR", FAIL), row("DDB-TTL", PASS)])), "50 % 1 check is not met everywhere"),
        (
            report(look([row("DDB-PITR", UNKNOWN), row("DDB-TTL", PASS)])),
            (
                "100 % Nothing fails, but not everything is known Passed of what passed, failed or warned, in 1 place, "
                "by the profile rfc-008; 50 % of what should be known is known. That is not compliance: what is not "
                "known may fail."
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
    first = read(report(look([row("DDB-PITR", FAIL)])))

    assert "There is no earlier run by the same profile to compare with." in first
    assert "The first run over this place by this profile." in first


def test_page_of_a_first_run_says_apart_what_is_left_out() -> None:
    text = read(report(look([row("DDB-PITR", FAIL)], past=[past(1, 1, 1, profile="strict")], former=[])))

    assert "The first run over this place by this profile. 1 earlier run is left out" in text


@pytest.mark.parametrize(
    "found", [report(look([row("DDB-PITR", Status.NOT_APPLICABLE)])), report(failures=["1 in x: Refused"])]
)
def test_page_of_a_run_that_judged_nothing_says_so(found: Report) -> None:
    text = read(found)

    assert "; nothing was judged. " in text
    assert "Nothing was judged, so it is not known whether anything is to do." in text
    assert "no check fails or warns" not in text
    assert "of what should be known" not in text


def test_page_says_what_is_compared_with_what() -> None:
    before = [past(1, 1, 1), past(2, 1, 1), past(3, 1, 1, profile="strict")]
    text = read(report(look([row("DDB-PITR", FAIL)], past=before, former=[])))

    assert "the last 3 runs over the same place, by the same profile. 1 earlier run is left out" in text
    assert "by the same profile: daily-1-ago of 20 November 2026, 05:00 UTC." in text


def test_headline_of_a_failure_says_what_is_wrong_and_then_what_is_required() -> None:
    check = catalogue()["DDB-PITR"]
    alone = read(report(look([row(check.id, FAIL, reason="It is off.")])))
    both = read(report(look([row(check.id, FAIL, name, reason=f"{name} is off.") for name in ("a", "b")])))

    assert f"high orders: It is off. {check.id} requires: {check.title} ✕ 1 fail · phase 1, class A" in alone
    assert "high 2 \N{MULTIPLICATION SIGN} dynamodb-table: a is off. and 1 other reason" in both


def test_page_has_the_runbook_of_what_fails_and_of_nothing_else() -> None:
    text = read(report(look([row("S3-VERSION", FAIL), row("DDB-PITR", PASS)])))

    for told in runbook(catalogue()["S3-VERSION"]).parts.values():
        assert told.replace("`", "") in text
    assert "Runbook of DDB-PITR" not in text


@pytest.mark.parametrize(("accounts", "places"), [(12, 12), (13, 0)])
def test_page_asks_to_look_again_at_few_accounts_by_name_and_at_many_as_a_whole(accounts: int, places: int) -> None:
    rows = [row("DDB-PITR", FAIL, account=f"{number:012}") for number in range(accounts)]
    [asked] = re.findall(r"gatehouse run assess_account --env prod --input '(.*?)'", read(report(look(rows))))

    assert len(json.loads(asked).get("accounts", ())) == places


def test_conflicts_are_told_once_and_counted() -> None:
    both = [conflict(name=name, arn=name, sentence=f"{name} has none.") for name in ("a", "b")]
    text = read(report(look([row("DDB-PITR", PASS)], conflicts=both)))

    assert "Conflicts 1 Requirements" in text
    assert text.count(conflict().title) == text.count(conflict().ways_out) == 1
    assert "a has none." in text
    assert "b has none." in text


def test_page_tells_of_exceptions_that_are_about_nothing() -> None:
    text = read(report(look([row("DDB-PITR", FAIL, "orders")], exceptions=[exception("order", aimed=False)])))

    assert "Exceptions about nothing 1" in text
    assert "No dynamodb-table in scope is called order; did you mean orders?" in text
    assert "is known. 1 exception is about nothing. " in text, "its first lines say so, too"


def test_first_lines_of_the_page_tell_how_many_exceptions_have_ended() -> None:
    last_day, before = TIME.date().isoformat(), (TIME - timedelta(days=1)).date().isoformat()
    exceptions = [
        exception("orders", aimed=True, expires=last_day),
        exception("users", aimed=True, expires=before),
        exception("users", aimed=True, expires=before, region="eu-west-1"),
        exception("messages", aimed=None, expires=before),
        exception("tasks", aimed=True, expires=before),
        exception("tasks", aimed=True, expires=last_day),
        exception("none", aimed=False, expires=before),
    ]
    found = report(look([row("DDB-PITR", FAIL, "orders")], exceptions=exceptions))

    assert [one.name for one in found.ended] == ["users", "messages"], "those that were not renewed, each once"
    assert "1 exception is about nothing. 2 exceptions have ended and excuse nothing any more." in read(found)
    assert len(json.loads(as_json(found))["ended_exceptions"]) == 2


def test_terms_of_the_page_are_explained_on_it() -> None:
    text = read(report(look([row("DDB-PITR", FAIL)])))

    for meaning in (*TERMS.values(), *PHASES.values(), *CLASSES.values()):
        assert meaning.replace("`", "") in text


def test_page_tells_what_changed() -> None:
    found = report(
        look(
            [row("DDB-PITR", FAIL)],
            past=[past(1, 1, 0)],
            former=[row("DDB-PITR", PASS), row("DDB-TTL", PASS, "dropped")],
        )
    )

    assert "New failures 1 DDB-PITR orders" in read(found)
    assert "No longer in scope 1 DDB-TTL dropped" in read(found)


def test_hostile_names_are_shown_and_never_run() -> None:
    name = "<script>alert(1)</script>\"' onload=x \u202egnp"
    found = report(
        look(
            [row("DDB-PITR", FAIL, name, reason=name), excepted("DDB-TTL", name, owner=name)],
            conflicts=[conflict(name=name)],
            exceptions=[exception(name, aimed=False)],
            region=name,
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
    content = as_html(report(look(rows, past=[past(1, 1, 0)], former=[])))

    assert len(content) < 400_000
    assert "9,900 resources more are in findings.csv." in " ".join(Page(content.decode()).text.split())


def test_page_of_a_thousand_findings_of_all_checks_is_one_small_file() -> None:
    reason = "Data events of 15 resources in scope are not all on record, such as dynamodb-table/orders-of-a-service."
    rows = [row(check, FAIL, f"resource-{number}", reason=reason) for check in catalogue() for number in range(40)]
    clashing = [conflict(name=f"resource-{number}", arn=str(number)) for number in range(40)]
    content = as_html(report(look(rows, conflicts=clashing)))

    assert len(rows) > 1_100
    assert len(content) < 1_000_000


def test_trend_that_is_wider_than_its_box_is_seen_from_its_latest_run_on() -> None:
    page = as_html(report(look([row("DDB-PITR", PASS)]))).decode()

    assert '<div class="scroll newest" tabindex="0" role="region" aria-label="Trend"><svg' in page
    assert ".newest { direction: rtl; }\n.newest > * { direction: ltr; }" in page, "a box begins where its text does"


def test_trend_has_a_mark_for_each_run_and_a_gap_where_nothing_was_known() -> None:
    found = report(look([row("DDB-PITR", PASS)], past=[past(3, 1, 1), past(2, 0, 0, 4), past(1, 1, 1)]))
    drawn = str(trend_chart(found.trend.points))

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
    earlier = PastScore("earlier", TIME - before, "rfc-008", {PASS: 1})
    drawn = str(trend_chart(report(look([row("DDB-PITR", PASS)], past=[earlier])).trend.points))

    assert sorted(re.findall(r'class="label">([^<]+)<', drawn)) == labels
