"""What looks and fixes tell CloudWatch. Pure: names, units and values; the handlers emit them."""

from collections.abc import Iterator
from typing import Literal

from data_protection.drift.fixer import Fix, Result
from data_protection.drift.watcher import Looked

Unit = Literal["Count", "Seconds"]


def of_look(looked: Looked) -> Iterator[tuple[str, Unit, float]]:
    """Yield the metrics of a look."""
    yield "DriftsFound", "Count", len(looked.comparison.found)
    yield "DriftsFixed", "Count", len(looked.comparison.fixed)
    for seconds in looked.detect_seconds:
        yield "DriftDetectSeconds", "Seconds", seconds
    for seconds in looked.fix_seconds:
        yield "DriftFixSeconds", "Seconds", seconds


def of_sweep(looked: Looked) -> Iterator[tuple[str, Unit, float]]:
    """Yield the metrics of a look at everything, over those of any look."""
    yield "DriftsMissedByEvents", "Count", len(looked.comparison.found)
    yield "PlacesUnwatched", "Count", looked.unwatched


def of_fix(fix: Fix) -> Iterator[tuple[str, Unit, float]]:
    """Yield the metrics of a fix."""
    yield "DriftFixesMade", "Count", fix.result is Result.FIXED
    yield "DriftFixesFailed", "Count", fix.result is Result.FAILED
    yield "ResourcesFrozen", "Count", fix.result is Result.NEWLY_FROZEN
