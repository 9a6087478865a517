"""From which size a move to another storage class pays for itself."""

from data_protection.lifecycle.population import DAYS_OF_YEAR
from data_protection.lifecycle.rules import SMALL, StorageClass
from data_protection.lifecycle.tariff import Amount, tariff, total


def pays_from(
    source: StorageClass,
    target: StorageClass,
    days: int,
    *,
    held: int = 0,
    leaves: bool = False,
    reads_a_year: float = 0.0,
) -> float | None:
    """Return the size in bytes from which a move saves what it costs, whatever larger object is moved; None for none.

    Args:
        source: Class that the objects would stay in.
        target: Class that they move to.
        days: That they stay there.
        held: Days that they have been in the source.
        leaves: Whether they leave the target after these days; then its minimum days are paid.
        reads_a_year: How often an object is read back in a year, in the mean.
    """

    def saved(*, small: bool) -> Amount:
        asked = tariff(target, small)
        early = max(asked.minimum_days - days, 0) if leaves else 0
        return total(
            [
                _kept(source, days, held, reads_a_year, small=small),
                _kept(target, days, 0, reads_a_year, small=small).times(-1),
                asked.moving.times(-1),
                asked.phases[0].daily.times(-early),
            ]
        )

    return zero(saved(small=True), saved(small=False))


def zero(small: Amount, large: Amount) -> float | None:
    """Return the size in bytes from which on nothing is lost, whatever is larger; None where large objects lose.

    Args:
        small: Saved for an object below 128 KB.
        large: Saved for any other.
    """
    if large.byte <= 0:
        return None
    if large.of(1, SMALL) < 0:
        return -large.each / large.byte
    # From 128 KB on it pays; below, it does down to where the line of small objects meets nothing saved.
    if small.of(1, SMALL) < 0:
        return float(SMALL)
    return max(-small.each / small.byte, 0.0) if small.byte > 0 else 0.0


def _kept(storage_class: StorageClass, days: int, held: int, reads_a_year: float, *, small: bool) -> Amount:
    """Return what some days in a class cost."""
    asked = tariff(storage_class, small)
    ends = [phase.since for phase in asked.phases[1:]]
    spans = [
        phase.daily.times(max(min(held + days, end) - max(held, phase.since), 0))
        for phase, end in zip(asked.phases, [*ends, held + days], strict=True)
    ]
    reading = asked.reading.times(reads_a_year * days / DAYS_OF_YEAR)
    return total([*spans, asked.monitoring.times(days), reading])
