"""Simulations and locks as pages for people: HTML files that need nothing but themselves."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Final

from jinja2 import Environment

from data_protection.locking.charts import Bar, bar_chart, bars_of, size
from data_protection.locking.retention import Outcome
from kernel.pages.templating import templates_of
from kernel.pages.words import seen

if TYPE_CHECKING:
    from data_protection.locking.report import LockReport
    from data_protection.locking.simulation import Simulation

_TOLD: Final[Mapping[Outcome, str]] = {
    Outcome.SET: "retained",
    Outcome.ALREADY: "had it already",
    Outcome.LONGER: "had more already",
    Outcome.ELAPSED: "too old for it",
    Outcome.DELETE_MARKER: "delete markers, which cannot be retained",
    Outcome.GONE: "gone meanwhile",
    Outcome.REFUSED: "refused",
}
_PLACES: Final = 25  # folders of a page; all that are listed are in simulation.json


def simulation_page(simulation: "Simulation") -> bytes:
    """Return the page of a simulation."""
    tally = simulation.tally
    folders = sorted(tally.folders.items(), key=lambda one: (-one[1].size, one[0]))
    return (
        _templates()
        .get_template("simulation.html.j2")
        .render(
            simulation=simulation,
            tally=tally,
            folders=folders[:_PLACES],
            more=len(folders) - _PLACES,
            outcomes=_TOLD,
            chart=bar_chart("When retentions end", bars_of(tally.months)) if tally.months else None,
        )
        .encode()
    )


def lock_page(report: "LockReport") -> bytes:
    """Return the page of a lock."""
    bars = [
        Bar(told, report.present.versions(end), f"{told}: {report.present.versions(end):,}") for end, told in _SHORT
    ]
    return (
        _templates()
        .get_template("lock.html.j2")
        .render(report=report, outcomes=_TOLD, chart=bar_chart("Versions by what became of them", bars))
        .encode()
    )


_SHORT: Final = [(outcome, told.partition(",")[0]) for outcome, told in _TOLD.items()]


@cache
def _templates() -> Environment:
    templates = templates_of("data_protection.locking")
    templates.filters.update(seen=seen, size=size)
    return templates
