"""What a storage class asks for an object: by its size, by its move there, by its minimum time, by reading it back.

Minimums and overheads: https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from data_protection.lifecycle.rules import SMALL, StorageClass
from kernel.prices import PRICES, Price

GB: Final = 1024**3
DAYS_OF_MONTH: Final = 30.4375  # of a month of a price, in the mean over leap years
_OVERHEAD: Final = 32 * 1024  # bytes of an archived object's index, at the archive's own price
_NAME: Final = 8 * 1024  # bytes of its name and metadata, at STANDARD's price
# How long a restored copy of an archived object is kept in STANDARD: an assumption, a restore names its own number.
RESTORED_DAYS: Final = 7

_MINIMUM_DAYS: Final = {
    StorageClass.STANDARD_IA: 30,
    StorageClass.ONEZONE_IA: 30,
    StorageClass.GLACIER_IR: 90,
    StorageClass.GLACIER: 90,
    StorageClass.DEEP_ARCHIVE: 180,
}
_BILLED_AS_SMALL: Final = frozenset({StorageClass.STANDARD_IA, StorageClass.ONEZONE_IA, StorageClass.GLACIER_IR})


@dataclass(frozen=True)
class Amount:
    """USD that are affine in the size of an object: so much each, and so much a byte."""

    each: float = 0.0
    byte: float = 0.0

    def times(self, factor: float) -> "Amount":
        """Return it so many times."""
        return Amount(self.each * factor, self.byte * factor)

    def of(self, objects: float, size: float) -> float:
        """Return the USD of so many objects that have so many bytes together."""
        return self.each * objects + self.byte * size


def total(amounts: Iterable[Amount]) -> Amount:
    """Return amounts added up."""
    given = list(amounts)
    return Amount(sum(amount.each for amount in given), sum(amount.byte for amount in given))


@dataclass(frozen=True)
class Phase:
    """What a day of storage costs from some day in the class on.

    Attributes:
        since: Days in the class.
        daily: USD a day.
    """

    since: int
    daily: Amount


@dataclass(frozen=True)
class Tariff:
    """What one storage class asks, of objects below 128 KB or of others.

    Attributes:
        phases: Of storage, by days in the class; INTELLIGENT_TIERING has three, for what nobody reads.
        monitoring: A day of being watched by INTELLIGENT_TIERING.
        moving: For an object that a lifecycle moves there.
        reading: For reading an object back once: retrieval, the copy that a restored archive has for some days, and
            in INTELLIGENT_TIERING the days in its dearer tiers.
        minimum_days: That are paid whenever an object leaves.
    """

    phases: tuple[Phase, ...]
    monitoring: Amount
    moving: Amount
    reading: Amount
    minimum_days: int


@cache
def tariff(storage_class: StorageClass, small: bool) -> Tariff:  # noqa: FBT001 - as much a part of what is priced as the class
    """Return the tariff of a class.

    Args:
        storage_class: Which.
        small: Whether the objects have less than 128 KB.
    """
    return Tariff(
        phases=_phases(storage_class, small=small),
        monitoring=Amount(each=_monthly("s3_monitoring"))
        if storage_class is StorageClass.INTELLIGENT_TIERING and not small
        else Amount(),
        moving=Amount(each=_usd(f"s3_transitions_{storage_class.lower()}")),
        reading=_reading(storage_class, small=small),
        minimum_days=_MINIMUM_DAYS.get(storage_class, 0),
    )


def prices() -> dict[str, Price]:
    """Return all prices that tariffs are made of, by their names in the table."""
    return {
        name: price
        for name, price in PRICES.items()
        if name == "s3_monitoring"
        or name.startswith(("s3_storage", "s3_transitions_", "s3_retrieval_", "s3_restores_"))
    }


def _phases(storage_class: StorageClass, *, small: bool) -> tuple[Phase, ...]:
    if storage_class is StorageClass.STANDARD:
        return (Phase(0, _storage("s3_storage")),)
    if storage_class is StorageClass.INTELLIGENT_TIERING:
        # What is below 128 KB is not watched, and stays in the dearest tier.
        first = Phase(0, _storage("s3_storage"))
        later = (
            Phase(30, _storage("s3_storage_intelligent_infrequent")),
            Phase(90, _storage("s3_storage_intelligent_instant")),
        )
        return (first,) if small else (first, *later)
    daily = _storage(f"s3_storage_{storage_class.lower()}")
    if storage_class.is_archive:
        daily = Amount(_OVERHEAD * daily.byte + _NAME * _storage("s3_storage").byte, daily.byte)
    elif small and storage_class in _BILLED_AS_SMALL:
        daily = Amount(each=SMALL * daily.byte)
    return (Phase(0, daily),)


def _reading(storage_class: StorageClass, *, small: bool) -> Amount:
    if storage_class is StorageClass.STANDARD:
        return Amount()
    if storage_class is StorageClass.INTELLIGENT_TIERING:
        # Read, an object goes through the dearer tiers again, instead of the last one.
        phases = _phases(storage_class, small=small)
        last = phases[-1].daily.byte
        ends = [phase.since for phase in phases[1:]]
        return Amount(
            byte=sum((phase.daily.byte - last) * (end - phase.since) for phase, end in zip(phases, ends, strict=False))
        )
    by_gb = _usd(f"s3_retrieval_{storage_class.lower()}") / GB
    if not storage_class.is_archive:
        return Amount(byte=by_gb)
    return Amount(_usd(f"s3_restores_{storage_class.lower()}"), by_gb + RESTORED_DAYS * _storage("s3_storage").byte)


def _usd(name: str) -> float:
    return PRICES[name].each if name in PRICES else 0.0


def _monthly(name: str) -> float:
    return PRICES[name].each / DAYS_OF_MONTH


def _storage(name: str) -> Amount:
    return Amount(byte=_monthly(name) / GB)
