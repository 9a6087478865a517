"""Charts of locks as SVG: bars with a text for the mouse and for those who do not see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from data_protection.locking.tally import Amount

_WIDTH: Final = 1040
_HEIGHT: Final = 230
_FLOOR: Final = 190
_TOP: Final = 26
_MONTHS: Final = 36
_LABELS: Final = 12
_UNITS: Final = ("bytes", "KB", "MB", "GB", "TB", "PB")
_STEP: Final = 1024


@dataclass(frozen=True)
class Bar:
    """One bar.

    Attributes:
        label: Below it.
        value: Its height.
        told: What it says.
    """

    label: str
    value: float
    told: str


def size(count: float) -> str:
    """Return bytes as people read them."""
    for unit in _UNITS[:-1]:
        if count < _STEP:
            return f"{count:.0f} {unit}" if unit == "bytes" or count >= 10 else f"{count:.1f} {unit}"  # noqa: PLR2004
        count /= _STEP
    return f"{count:,.1f} {_UNITS[-1]}"


def bars_of(months: Mapping[str, Amount]) -> list[Bar]:
    """Return a bar for each month in which retentions end, or for each year where months are too many."""
    spans: dict[str, Amount] = {}
    for month, amount in sorted(months.items()):
        spans.setdefault(month if len(months) <= _MONTHS else month[:4], Amount()).add(amount)
    return [
        Bar(span, amount.size, f"{span}: retention of {amount.versions:,} versions ends, {size(amount.size)}")
        for span, amount in spans.items()
    ]


def bar_chart(title: str, bars: Sequence[Bar]) -> Markup:
    """Draw bars side by side, of which the tallest has the full height."""
    tallest = max((bar.value for bar in bars), default=0) or 1
    room = _WIDTH / max(len(bars), 1)
    every = -(-len(bars) // _LABELS)
    marks = [
        _bar(bar, room * index, room, bar.value / tallest, labelled=index % every == 0)
        for index, bar in enumerate(bars)
    ]
    told = "; ".join(bar.told for bar in bars)
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        _WIDTH, _HEIGHT, f"{title}: {told}.", Markup("").join(marks)
    )


def _bar(bar: Bar, left: float, room: float, share: float, *, labelled: bool) -> Markup:
    width = min(room * 0.72, 72)
    height = max((_FLOOR - _TOP) * share, 2 if bar.value else 0)
    middle = left + room / 2
    mark = Markup(
        '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="3" class="bar" data-tip="{}"/>'
    ).format(middle - width / 2, _FLOOR - height, width, height, bar.told)
    if not labelled:
        return mark
    return mark + Markup('<text x="{:.1f}" y="{}" class="label">{}</text>').format(middle, _HEIGHT - 16, bar.label)
