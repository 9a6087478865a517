"""A small chart of lines over logarithmic axes, as SVG. Pure."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

_WIDTH, _HEIGHT = 640, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 32, 64, 40
_COLOURS: Final = ("#1f6feb", "#bc4c00")
_TEXT: Final = 'font-family="sans-serif" font-size="12" fill="#1f2328"'

Points = Sequence[tuple[float, float]]


def chart(title: str, lines: Mapping[str, Points]) -> str:
    """Draw each line in a colour of its own, with a legend and a grid of powers of ten.

    Args:
        title: Above everything; says what the axes are.
        lines: Points by name, x and y above zero.
    """
    xs = [x for points in lines.values() for x, _ in points]
    ys = [y for points in lines.values() for _, y in points]
    across, up = _decades(xs), _decades(ys)

    def at(x: float, y: float) -> tuple[float, float]:
        return (
            round(_LEFT + _share(x, across) * (_WIDTH - _LEFT - _RIGHT), 1),
            round(_HEIGHT - _BOTTOM - _share(y, up) * (_HEIGHT - _TOP - _BOTTOM), 1),
        )

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f"<title>{title}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="20" {_TEXT} font-weight="bold">{title}</text>',
    ]
    for power in range(across[0], across[1] + 1):
        x, bottom = at(10**power, 10 ** up[0])
        parts.append(f'<line x1="{x}" y1="{_TOP}" x2="{x}" y2="{bottom}" stroke="#d1d9e0"/>')
        parts.append(f'<text x="{x}" y="{bottom + 18}" {_TEXT} text-anchor="middle">{10**power:,}</text>')
    for power in range(up[0], up[1] + 1):
        left, y = at(10 ** across[0], 10**power)
        parts.append(f'<line x1="{left}" y1="{y}" x2="{_WIDTH - _RIGHT}" y2="{y}" stroke="#d1d9e0"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4}" {_TEXT} text-anchor="end">{10**power:g}</text>')
    for number, (name, points) in enumerate(lines.items()):
        colour = _COLOURS[number]
        places = [at(x, y) for x, y in points]
        path = " ".join(f"{x},{y}" for x, y in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in places]
        start = _LEFT + 240 * number
        parts.append(f'<rect x="{start}" y="34" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{start + 18}" y="44" {_TEXT}>{name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _decades(values: Sequence[float]) -> tuple[int, int]:
    return math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))


def _share(value: float, decades: tuple[int, int]) -> float:
    return (math.log10(value) - decades[0]) / (decades[1] - decades[0])
