import pytest

from bench import protection_scale
from bench.documents import replaced
from bench.protection_scale import (
    AT_ONCE,
    DAYS,
    DOCUMENT,
    LOOK_GB,
    LOOK_TIMEOUT,
    PLACES,
    REPORT_GB,
    START_TIMEOUT,
    SWEEP_MINUTES,
    alarm_metrics,
    beside,
    calls_a_month,
    measured,
    metric_names,
    month,
    usd,
)
from kernel.prices import PRICES
from tests.support.templates import FUNCTION, Stack, stacks


def template(name: str) -> Stack:
    (found,) = [stack for stack in stacks() if stack.name == name]
    return found


def test_document_holds_what_the_model_says() -> None:
    document = DOCUMENT.read_text()
    expected = replaced(document, protection_scale.figures(), protection_scale.MARKS)
    assert document == expected, "docs/scale.md is behind: make bench-protection-scale ARGS=--write"


def test_functions_are_deployed_as_the_model_has_them() -> None:
    assessing, drift = (
        template("data_protection").of_type(FUNCTION),
        template("data_protection_drift").of_type(FUNCTION),
    )
    for function in (assessing["AssessPlaceFunction"], drift["SweepDriftFunction"]):
        assert (function["MemorySize"], function["Timeout"]) == (LOOK_GB * 1024, LOOK_TIMEOUT)
    assert assessing["ReportAssessmentFunction"]["MemorySize"] == REPORT_GB * 1024
    assert drift["StartSweepFunction"]["Timeout"] == START_TIMEOUT


def test_sweeps_come_and_run_as_the_model_has_them() -> None:
    drift = template("data_protection_drift")
    sweeping = [
        mapping["ScalingConfig"]["MaximumConcurrency"]
        for mapping in drift.of_type("AWS::Lambda::EventSourceMapping").values()
        if "SweepQueue" in str(mapping["EventSourceArn"])
    ]
    assert sweeping == [AT_ONCE]
    assert drift.body["Parameters"]["SweepMinutes"]["AllowedValues"] == list(SWEEP_MINUTES)
    seconds = {int(minutes): one["Seconds"] for minutes, one in drift.body["Mappings"]["Sweep"].items()}
    assert seconds == {minutes: 60 * minutes for minutes in SWEEP_MINUTES}


def test_sweeps_are_what_grows_with_accounts() -> None:
    _, few, many = map(month, PLACES)
    assert usd(many["alarms, metrics, key"]) == usd(few["alarms, metrics, key"])
    assert usd(many["sweeps"]) == pytest.approx(PLACES[2] / PLACES[1] * usd(few["sweeps"]), rel=0.01)
    assert usd(many["sweeps"]) > sum(usd(amounts) for part, amounts in many.items() if part != "sweeps")


def test_lists_are_charged_as_such() -> None:
    assert month(300)["daily assessments"]["s3_lists"] == DAYS
    gets = sum(number for name, number in calls_a_month(60).items() if name.startswith("s3.")) * PRICES["s3_gets"].each
    assert beside(60)["requests to S3"] > gets


def test_sweeping_once_an_hour_asks_a_quarter() -> None:
    often, seldom = (calls_a_month(minutes).total() - 30 * measured().calls.total() for minutes in (15, 60))
    assert often == 4 * seldom
    assert beside(60)["CloudTrail, each further copy"] < beside(15)["CloudTrail, each further copy"] / 3


def test_alarms_and_metrics_are_counted_where_they_are_made() -> None:
    assert {"DriftsFound", "PlacesUnwatched", "SweepsAsked", "ChecksFailed"} <= metric_names()
    assert alarm_metrics() > 30
