"""Specification to SVG that lives inside the page: follows its colours and fonts, and says on hover what it shows."""

import re
from typing import Final

from cli.reports.charts import Spec

# The newest Vega-Lite of the pinned vl-convert; named, so that an upgrade that draws differently is a choice.
_VEGA_LITE: Final = "6.4"

_NUMBER: Final = re.compile(r"-?\d+\.\d{2,}")
_GEOMETRY: Final = re.compile(r'\b(d|transform|width|height|x2?|y2?)="([^"]*)"')
_EMPTY: Final = re.compile(r'<path [^>]*\bd=""[^>]*/>|<path [^>]*d="M0,0h0v0h0Z"[^>]*/>')
_ARIA: Final = re.compile(r' (?:aria-hidden|role|aria-roledescription|pointer-events|class)="[^"]*"')
_ROOT: Final = re.compile(r'<svg [^>]*viewBox="([^"]*)">')


def draw(spec: Spec, *, name: str, description: str) -> str:
    """Return the chart as one `<svg>` element.

    Args:
        spec: Vega-Lite.
        name: Unique in the page: ids inside one SVG would otherwise meet those of the next.
        description: What a screen reader says instead; the numbers are in the table beside the chart.
    """
    import vl_convert  # noqa: PLC0415 - heavy, and only a report needs it

    svg = vl_convert.vegalite_to_svg(spec, vl_version=_VEGA_LITE)
    svg = _EMPTY.sub("", svg)
    # Each mark's description becomes the text of the page's tooltip; to a screen reader the chart is one picture.
    svg = _ARIA.sub("", svg).replace(' aria-label="', ' data-tip="')
    svg = _GEOMETRY.sub(lambda found: f'{found[1]}="{_NUMBER.sub(_rounded, found[2])}"', svg)
    svg = re.sub(r'id="(clip\d+)"|url\(#(clip\d+)\)', lambda found: _own(found, name), svg)
    label = description.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return _ROOT.sub(
        lambda root: f'<svg class="chart" viewBox="{root[1]}" role="img" aria-label="{label}">', svg, count=1
    )


def _rounded(found: re.Match[str]) -> str:
    return f"{float(found[0]):.1f}".removesuffix(".0")


def _own(found: re.Match[str], name: str) -> str:
    return f'id="{name}-{found[1]}"' if found[1] else f"url(#{name}-{found[2]})"
