"""What people call what a forecast is made of: charges, prices, sizes, amounts, and why objects do not move."""

from collections.abc import Mapping
from typing import Final

from data_protection.lifecycle.charges import Item
from data_protection.lifecycle.reach import Leaving
from kernel.prices import ELSEWHERE, PRICES

_KB: Final = 1024

CHARGES: Final[Mapping[Item, str]] = {
    Item.STORAGE: "storage",
    Item.MOVING: "moving objects to other classes",
    Item.MINIMUM: "days not stayed in a class that has a minimum",
    Item.MONITORING: "monitoring by INTELLIGENT_TIERING",
    Item.READING: "reading objects back",
}
"""What people call the kinds of charges."""

LEAVINGS: Final[Mapping[Leaving, str]] = {
    Leaving.FILTERED: "are of a size that the rule's filter leaves out",
    Leaving.SMALL: "are smaller than 128 KB, which S3 does not move by default: only a rule that filters by size does",
    Leaving.THERE: "are in that storage class already, or in one from which S3 moves nothing there",
    Leaving.DELETED: "expire before",
    Leaving.LATER: "are too young: they get old enough after the end of this forecast",
    Leaving.OTHERS: "are moved by another rule before",
}
"""Why a rule leaves objects where they are, said of them."""

# Prices by the beginnings of their names in the table, and what is left of these names where it names no class.
_PRICED: Final = {
    "s3_storage_": "storage in",
    "s3_transitions_": "moves to",
    "s3_retrieval_": "GB read back from",
    "s3_restores_": "objects restored from",
}
_TIERS: Final = {
    "intelligent_infrequent": "INTELLIGENT_TIERING of what is unread for 30 days",
    "intelligent_instant": "INTELLIGENT_TIERING of what is unread for 90 days",
}


def dollars(usd: float) -> str:
    """Return an amount as people write it, in USD."""
    if abs(usd) >= 100:  # noqa: PLR2004 - cents do not matter there
        return f"{usd:,.0f} USD"
    return f"{usd:,.2f} USD"


def cents(usd: float) -> float:
    """Return an amount in USD to the cent."""
    return round(usd, 2) + 0.0  # never -0.0


def as_size(size: float) -> str:
    """Return bytes as people write them."""
    for unit, above in (("TB", _KB**4), ("GB", _KB**3), ("MB", _KB**2), ("KB", _KB)):
        if size >= above:
            return f"{size / above:.3g} {unit}" if size / above < 1000 else f"{size / above:,.0f} {unit}"  # noqa: PLR2004
    return f"{size:.0f} bytes"


def priced(name: str) -> str:
    """Return what people call a price of the table."""
    for beginning, said in _PRICED.items():
        if name.startswith(beginning):
            rest = name.removeprefix(beginning)
            return f"{said} {_TIERS.get(rest, rest.upper())}"
    return {"s3_storage": "storage in STANDARD", "s3_monitoring": "monitoring by INTELLIGENT_TIERING"}[name]


def known_there(region: str) -> str:
    """Return by how much the prices of another region are known to differ, as a sentence; empty where none is known."""
    known = ELSEWHERE.get(region, {})
    if not known:
        return ""
    other = [
        f"{priced(name)} {price.usd:g} instead of {PRICES[name].usd:g} USD for a {price.unit}"
        for name, price in known.items()
        if price.each != PRICES[name].each
    ]
    if not other:
        return " Of the prices that are known there all are the same."
    return f" Known to differ there: {'; '.join(other)}."
