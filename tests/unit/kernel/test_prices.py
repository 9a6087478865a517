from dataclasses import fields, replace
from typing import Any

import pytest

from kernel.prices import LAMBDA_GB_SECOND, Usage, estimate

NOTHING = Usage("arm64", 0, 0, 0, 0, 0, 0)


def test_nothing_costs_nothing() -> None:
    assert set(estimate(NOTHING).values()) == {0.0}


# Prices as AWS writes them on its pages, not as the table holds them.
@pytest.mark.parametrize(
    ("counter", "number", "component", "usd"),
    [
        ("lambda_requests", 1_000_000, "lambda_requests", 0.20),
        ("state_transitions", 1_000, "step_functions", 0.025),
        ("s3_puts", 1_000, "s3_puts", 0.005),
        ("s3_gets", 1_000, "s3_gets", 0.0004),
        ("dynamodb_writes", 1_000_000, "dynamodb", 0.625),
    ],
)
def test_counter_costs_its_own_component_alone(counter: str, number: int, component: str, usd: float) -> None:
    used: dict[str, Any] = {counter: number}
    costs = estimate(replace(NOTHING, **used))
    assert costs.pop(component) == pytest.approx(usd)
    assert set(costs.values()) == {0.0}


@pytest.mark.parametrize(("architecture", "usd"), [("x86_64", 0.0000166667), ("arm64", 0.0000133334)])
def test_compute_is_priced_by_architecture(architecture: str, usd: float) -> None:
    used = replace(NOTHING, architecture=architecture, lambda_gb_seconds=1_000_000.0)
    assert estimate(used)["lambda_compute"] == pytest.approx(1_000_000 * usd)


def test_every_counter_has_a_price() -> None:
    counters = [field.name for field in fields(Usage) if field.name != "architecture"]
    assert len(estimate(NOTHING)) == len(counters)
    assert all(price > 0 for price in LAMBDA_GB_SECOND.values())


def test_unknown_architecture_has_no_price() -> None:
    with pytest.raises(KeyError, match="mips"):
        estimate(replace(NOTHING, architecture="mips"))
