"""Charts of a forecast, as SVG: marks in colours of the page, with a text for the mouse and for those who hear it."""

from collections.abc import Iterator, Mapping
from typing import Final

from markupsafe import Markup

from data_protection.lifecycle.charges import Item
from data_protection.lifecycle.forecast import Bill
from data_protection.lifecycle.rules import StorageClass
from data_protection.reports.forecast import Forecast
from data_protection.reports.forecast_words import as_size, dollars

_WIDTH: Final = 1040
_HEIGHT: Final = 270
_LEFT: Final = 104
_RIGHT: Final = 16
_TOP: Final = 14
_FLOOR: Final = 228
_THIN: Final = 0.36  # of the room of a group of bars
_CHART: Final = Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>')
_BAR: Final = Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" class="{}" data-tip="{}"/>')
_LABEL: Final = Markup('<text x="{:.1f}" y="{}" class="label">{}</text>')
_LINE: Final = Markup('<line x1="{}" y1="{:.1f}" x2="{}" y2="{:.1f}" stroke="var(--line)"/>')
_AXIS: Final = Markup('<text x="{}" y="{:.1f}" class="axis">{}</text>')


def years_chart(forecast: Forecast) -> Markup:
    """Draw what each year costs: in STANDARD, and beside it under the lifecycle, by storage class."""
    standard = {year: sum(parts.values()) for year, parts in by_year(forecast.standard).items()}
    parts = by_year(forecast.lifecycle)
    years = range(1, forecast.terms.years + 1)
    most = max([*standard.values(), *(sum(found.values()) for found in parts.values()), 0.01])
    room = (_WIDTH - _LEFT - _RIGHT) / forecast.terms.years
    marks: list[Markup] = list(_grid(most))
    for year in years:
        at = _LEFT + room * (year - 1) + room * 0.12
        usd = standard.get(year, 0.0)
        marks.append(_bar(at, room, 0, usd, most, "c-all", f"Year {year}, all in STANDARD: {dollars(usd)}"))
        below = 0.0
        for storage_class, usd in parts.get(year, {}).items():
            told = f"Year {year}, {storage_class}: {dollars(usd)}"
            marks.append(_bar(at + room * (_THIN + 0.02), room, below, usd, most, f"c-{storage_class}", told))
            below += usd
        marks.append(_LABEL.format(at + room * _THIN, _HEIGHT - 16, f"year {year}"))
    told = "; ".join(
        f"year {year} {dollars(sum(parts.get(year, {}).values()))} instead of {dollars(standard.get(year, 0.0))}"
        for year in years
    )
    return _CHART.format(_WIDTH, _HEIGHT, f"Cost by year: {told}.", Markup("").join(marks))


def sizes_chart(forecast: Forecast) -> Markup:
    """Draw what the lifecycle saves against STANDARD, by size of objects; what is lost goes below the line."""
    saved = {
        octave: forecast.standard.by_size.get(octave, 0.0) - usd for octave, usd in forecast.lifecycle.by_size.items()
    }
    if not saved:
        return Markup("")
    most = max([*saved.values(), 0.0])
    least = min([*saved.values(), 0.0])
    span = (most - least) or 1.0
    zero = _TOP + (_FLOOR - _TOP) * most / span
    room = (_WIDTH - _LEFT - _RIGHT) / len(saved)
    marks = [_LINE.format(_LEFT, zero, _WIDTH - _RIGHT, zero), _AXIS.format(_LEFT - 8, zero + 4, "0 USD")]
    if most > 0:
        marks.append(_AXIS.format(_LEFT - 8, _TOP + 8, dollars(most)))
    if least < 0:
        marks.append(_AXIS.format(_LEFT - 8, _FLOOR, dollars(least)))
    for index, (octave, usd) in enumerate(sorted(saved.items())):
        height = (_FLOOR - _TOP) * abs(usd) / span
        at = _LEFT + room * (index + 0.15)
        said = f"{_from(octave)}: {dollars(abs(usd))} {'saved' if usd >= 0 else 'lost'}"
        up = zero - height if usd >= 0 else zero
        marks.append(_BAR.format(at, up, room * 0.7, max(height, 1), "gain" if usd >= 0 else "loss", said))
        marks.append(_LABEL.format(at + room * 0.35, _HEIGHT - 16, as_size(octave).replace(" bytes", "")))
    told = "; ".join(f"{_from(octave)} {dollars(usd)}" for octave, usd in sorted(saved.items()))
    return _CHART.format(_WIDTH, _HEIGHT, f"Saved by size of objects: {told}.", Markup("").join(marks))


def by_year(bill: Bill) -> Mapping[int, Mapping[StorageClass, float]]:
    """Return USD by year and storage class, in their orders."""
    found: dict[int, dict[StorageClass, float]] = {}
    for (year, storage_class, _), usd in bill.usd.items():
        classes = found.setdefault(year, {})
        classes[storage_class] = classes.get(storage_class, 0.0) + usd
    return {
        year: {one: classes[one] for one in StorageClass if one in classes} for year, classes in sorted(found.items())
    }


def by_charge(bill: Bill) -> Mapping[Item, float]:
    """Return USD of all years by kind of charge."""
    found: dict[Item, float] = {}
    for (_, _, item), usd in bill.usd.items():
        found[item] = found.get(item, 0.0) + usd
    return found


def _from(octave: int) -> str:
    return f"from {as_size(octave)}" if octave else "below 1 KB"


def _grid(most: float) -> Iterator[Markup]:
    for share in (0.0, 0.5, 1.0):
        at = _FLOOR - (_FLOOR - _TOP) * share
        yield _LINE.format(_LEFT, at, _WIDTH - _RIGHT, at)
        yield _AXIS.format(_LEFT - 8, at + 4, dollars(most * share))


def _bar(  # noqa: PLR0917 - where it is and what it says
    at: float, room: float, below: float, usd: float, most: float, style: str, told: str
) -> Markup:
    scale = (_FLOOR - _TOP) / most
    return _BAR.format(at, _FLOOR - (below + usd) * scale, room * _THIN, usd * scale, style, told)
