"""ReportForecast's work: what was counted becomes seven years of bills, and files that tell them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import sqrt
from typing import TYPE_CHECKING, Final

from data_protection.lifecycle.contracts import Counted, ForecastPlan, ForecastReported, ReportForecast
from data_protection.lifecycle.forecast import Terms, bill, rule_effects, standard_bill
from data_protection.lifecycle.population import Lot, Population, inflow, joined, size_edges
from data_protection.lifecycle.rules import Configuration
from data_protection.reports.forecast import Forecast, Sample
from data_protection.reports.forecast_json import as_json
from data_protection.reports.forecast_page import as_html
from data_protection.reports.forecast_words import cents

if TYPE_CHECKING:
    from data_protection.adapters.forecasts import ForecastStore

_GROUPS: Final = 12  # of a sample, left out one by one
_SURE: Final = 1.96  # standard errors on each side, that hold 95 % of a normal distribution


class ForecastReporter:
    """Reports forecasts.

    Args:
        store: Keeps what belongs to this one.
    """

    def __init__(self, store: "ForecastStore") -> None:
        self._store = store

    def report(self, asked: ReportForecast) -> ForecastReported:
        """Report a forecast; reported again, the same counts become the same files."""
        plan = self._store.plan()
        forecast = make(plan, (self._store.counted(number) for number in range(asked.parts)))
        self._store.write_report("report.json", as_json(forecast), "application/json")
        self._store.write_report("index.html", as_html(forecast), "text/html; charset=utf-8")
        return ForecastReported(
            standard_usd=cents(forecast.standard.total),
            lifecycle_usd=cents(forecast.lifecycle.total),
            saving_percent=None if forecast.saving_percent is None else round(forecast.saving_percent, 1),
            prices=forecast.prices_note,
            losing_rules=tuple(effect.rule for effect in forecast.effects if effect.loses),
            prefix=self._store.prefix,
        )


def make(plan: ForecastPlan, counted: Iterable[Counted]) -> Forecast:
    """Return the forecast of what was counted, a part at a time: together they may be more than fits."""
    present, lifecycle = Configuration.parse(plan.present), Configuration.parse(plan.lifecycle)
    asked = plan.asked
    terms = Terms(
        plan.taken,
        versioned=plan.versioned,
        reads_a_year=asked.reads_percent_a_year / 100,
        growth_a_year=asked.growth_percent_a_year / 100,
    )
    edges = size_edges([present, lifecycle])

    def population(groups: Sequence[Sequence[Lot]], factor: float) -> Population:
        stock = joined((lot for group in groups for lot in group), edges)
        scaled = tuple(replace(lot, objects=lot.objects * factor, size=lot.size * factor) for lot in stock)
        return Population(scaled, joined(inflow(scaled, present, plan.taken, asked.inflow_days), edges))

    groups: list[Sequence[Lot]] = []
    left_out, is_sample, there = 0, False, None
    for part in counted:
        found = [[row.lot for row in group] for group in part.groups]
        # What is whole may lie together; of a sample the groups tell the error.
        groups = (
            [*groups, *found] if part.is_sample else [joined((lot for one in (*groups, *found) for lot in one), edges)]
        )
        left_out, is_sample, there = left_out + part.left_out, is_sample or part.is_sample, there or part.objects
    listed = sum(lot.objects for group in groups for lot in group)
    whole = population(groups, there / listed if there and listed else 1.0)

    def saving(some: Sequence[Sequence[Lot]]) -> float:
        sampled = population(some, 1.0)
        standard = standard_bill(sampled, lifecycle, terms).total
        return 100 * (1 - bill(sampled, lifecycle, terms).total / standard) if standard else 0.0

    return Forecast(
        plan=plan,
        terms=terms,
        population=whole,
        standard=standard_bill(whole, lifecycle, terms),
        present=bill(whole, present, terms),
        lifecycle=bill(whole, lifecycle, terms),
        configuration=lifecycle,
        effects=tuple(rule_effects(whole, lifecycle, terms)),
        left_out=left_out,
        sample=Sample(int(listed), there, _error([saving(some) for some in _all_but_one(groups)]))
        if is_sample
        else None,
    )


def _all_but_one(groups: Sequence[Sequence[Lot]]) -> list[list[Sequence[Lot]]]:
    """Return the groups of a sample without each twelfth of them in turn; nothing of a single group."""
    parts = min(_GROUPS, len(groups))
    if parts < 2:  # noqa: PLR2004 - there is nothing to leave out
        return []
    return [[group for index, group in enumerate(groups) if index % parts != left] for left in range(parts)]


def _error(savings: Sequence[float]) -> float | None:
    """Return by how many points a saving may be off, by the delete-a-group jackknife; None where that cannot be told.

    See Wolter, Introduction to Variance Estimation, chapter 4.
    """
    if not savings:
        return None
    mean = sum(savings) / len(savings)
    spread = sum((one - mean) ** 2 for one in savings)
    return _SURE * sqrt((len(savings) - 1) / len(savings) * spread)
