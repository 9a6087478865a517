from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from cli.reports.words import COMPONENTS as WORDS
from kernel.prices import AS_OF, COMPONENTS, FARGATE_SPOT_FACTOR, PRICES, Price, Usage, counted, estimate, problems
from local.paths import ROOT

NOTHING = Usage(architecture="arm64")


def test_nothing_costs_nothing() -> None:
    assert estimate(NOTHING) == dict.fromkeys(COMPONENTS, 0.0)


# Prices as AWS writes them on its pages, not as the table holds them.
@pytest.mark.parametrize(
    ("counter", "number", "usd"),
    [
        ("lambda_requests", 1_000_000, 0.20),
        ("lambda_storage", 1_000_000, 0.0309),
        ("state_transitions", 1_000, 0.025),
        ("s3_puts", 1_000, 0.005),
        ("s3_lists", 1_000, 0.005),
        ("s3_gets", 1_000, 0.0004),
        ("dynamodb_writes", 1_000_000, 0.625),
        ("dynamodb_reads", 1_000_000, 0.125),
        ("sqs", 1_000_000, 0.40),
        ("kms", 10_000, 0.03),
        ("eventbridge", 1_000_000, 1.00),
        ("cloudwatch_metrics", 1, 0.30),
        ("cloudwatch_logs", 1, 0.50),
        ("athena", 1, 5.00),
    ],
)
def test_counter_costs_its_own_component_alone(counter: str, number: int, usd: float) -> None:
    used: dict[str, Any] = {counter: number}
    costs = estimate(replace(NOTHING, **used))
    assert costs.pop({"state_transitions": "step_functions"}.get(counter, counter)) == pytest.approx(usd)
    assert set(costs.values()) == {0.0}


@pytest.mark.parametrize(
    ("architecture", "gb_second", "vcpu_hour", "gb_hour"),
    [("x86_64", 0.0000166667, 0.04048, 0.004445), ("arm64", 0.0000133334, 0.03238, 0.00356)],
)
def test_compute_is_priced_by_architecture(
    architecture: str, gb_second: float, vcpu_hour: float, gb_hour: float
) -> None:
    used = Usage(architecture=architecture, lambda_gb_seconds=1e6, fargate_vcpu_seconds=3600, fargate_gb_seconds=7200)
    costs = estimate(used)
    assert costs["lambda_compute"] == pytest.approx(1e6 * gb_second)
    assert costs["fargate_vcpus"] == pytest.approx(vcpu_hour)
    assert costs["fargate_memory"] == pytest.approx(2 * gb_hour)


def test_spare_capacity_makes_tasks_cheaper_and_nothing_else() -> None:
    used = Usage(architecture="arm64", lambda_gb_seconds=10, fargate_vcpu_seconds=10, fargate_gb_seconds=10)
    dear, cheap = estimate(used), estimate(replace(used, fargate_spot=True))
    assert cheap["lambda_compute"] == dear["lambda_compute"]
    for component in ("fargate_vcpus", "fargate_memory"):
        assert cheap[component] == pytest.approx(FARGATE_SPOT_FACTOR * dear[component])


def test_unknown_architecture_has_no_price() -> None:
    with pytest.raises(KeyError, match="mips"):
        estimate(replace(NOTHING, architecture="mips"))


def test_requests_count_as_what_aws_charges_them() -> None:
    requests = {"s3.PutObject": 2, "s3.UploadPart": 3, "s3.HeadObject": 4, "s3.ListObjectsV2": 5, "ssm.GetParameter": 6}
    assert counted(requests) == {"s3_puts": 5, "s3_gets": 4, "s3_lists": 5}
    assert {*counted({"dynamodb.UpdateItem": 1, "dynamodb.BatchGetItem": 1})} == {"dynamodb_writes", "dynamodb_reads"}


def test_the_table_is_whole_and_of_this_year() -> None:
    """Fails once the prices are a year old: look at the pages, mend the table, move AS_OF."""
    assert not list(problems(datetime.now(UTC).date()))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"kms": Price(-0.03, 1e4, "request", "the page")}, "'kms' costs -0.03 USD for 10000 times request"),
        ({"kms": Price(float("nan"), 1e4, "request", "the page")}, "'kms' costs nan USD"),
        (
            {"kms": Price(0.03, 0, "request", "the page")},
            "'kms' costs 0.03 USD for 0 times request: mend it by the page",
        ),
    ],
)
def test_a_wrong_price_is_told(change: dict[str, Price], complaint: str) -> None:
    [problem] = problems(AS_OF, {**PRICES, **change})
    assert complaint in problem


def test_a_missing_price_is_told() -> None:
    table = {name: price for name, price in PRICES.items() if name != "kms" and not name.startswith("fargate_vcpus")}
    assert [problem.split("'")[1] for problem in problems(AS_OF, table)] == ["fargate_vcpus", "kms"]


def test_old_prices_are_told() -> None:
    assert not list(problems(AS_OF + timedelta(days=365)))
    [problem] = problems(AS_OF + timedelta(days=366))
    assert problem.startswith(f"The price table of functions/kernel/prices.py is of {AS_OF}, over a year old")
    assert date.today() >= AS_OF  # noqa: DTZ011 - a table of the future was checked by nobody


def test_every_component_has_words_for_people() -> None:
    assert WORDS.keys() == set(COMPONENTS)


def test_the_documentation_has_every_price() -> None:
    lines = ["| what | USD | per | page | figure read on (of) |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| `{name}` | {price.usd:.10f}".rstrip("0").rstrip(".")
        + f" | {price.amount:,.0f} × {price.unit} | {price.source} | {price.read or 'unverified'} |"  # noqa: RUF001
        for name, price in PRICES.items()
    ]
    table = "\n".join(lines)
    assert table in (ROOT / "docs/firewall_logs.md").read_text(), f"docs/firewall_logs.md must have:\n{table}"
