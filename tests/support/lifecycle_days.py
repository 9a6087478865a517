"""Keeps single objects day by day under lifecycle rules as AWS writes them, and pays for each day.

It shares nothing with the forecast: rules are read from AWS' JSON here, and prices are written down once more.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

_Rules: TypeAlias = Sequence[tuple[Mapping[str, Any], bool]]

_Paid: TypeAlias = defaultdict[tuple[str, str], float]

_KB = 1024
_RANK = ["STANDARD", "STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"]
_FORBIDDEN = {
    ("INTELLIGENT_TIERING", "STANDARD_IA"),
    ("ONEZONE_IA", "INTELLIGENT_TIERING"),
    ("ONEZONE_IA", "GLACIER_IR"),
}
_GB_MONTH = {
    "STANDARD": 0.023,
    "STANDARD_IA": 0.0125,
    "ONEZONE_IA": 0.01,
    "GLACIER_IR": 0.004,
    "GLACIER": 0.0036,
    "DEEP_ARCHIVE": 0.00099,
}
_MOVE = {
    "STANDARD_IA": 0.01,
    "INTELLIGENT_TIERING": 0.01,
    "ONEZONE_IA": 0.01,
    "GLACIER_IR": 0.02,
    "GLACIER": 0.03,
    "DEEP_ARCHIVE": 0.05,
}
_LEAST_DAYS = {"STANDARD_IA": 30, "ONEZONE_IA": 30, "GLACIER_IR": 90, "GLACIER": 90, "DEEP_ARCHIVE": 180}
_READ_GB = {"STANDARD_IA": 0.01, "ONEZONE_IA": 0.01, "GLACIER_IR": 0.03, "GLACIER": 0.01, "DEEP_ARCHIVE": 0.02}
_RESTORE = {"GLACIER": 0.05 / 1000, "DEEP_ARCHIVE": 0.10 / 1000}


@dataclass
class Thing:
    """One object.

    Attributes:
        key: Of it.
        size: Bytes.
        storage_class: That it is in on the first day.
        age: Days since it was put, or since it became noncurrent.
        noncurrent: Whether it is a noncurrent version.
        comes: Day on which it is there first.
    """

    key: str
    size: int
    storage_class: str = "STANDARD"
    age: int = 0
    noncurrent: bool = False
    comes: int = 0


def pay(
    things: Sequence[Thing], rules: Sequence[Mapping[str, Any]], *, days: int, versioned: bool, reads_a_year: float
) -> _Paid:
    """Return USD by storage class and kind of charge."""
    paid: _Paid = defaultdict(float)
    for thing in things:
        _keep(thing, rules, days, paid, versioned=versioned, reads_a_year=reads_a_year)
    return paid


def _keep(
    thing: Thing,
    rules: Sequence[Mapping[str, Any]],
    days: int,
    paid: _Paid,
    *,
    versioned: bool,
    reads_a_year: float,
) -> None:
    storage, age, noncurrent = thing.storage_class, thing.age, thing.noncurrent
    about = list(_about(thing, rules))
    entered = -_days_there(thing, about)
    for day in range(days - thing.comes):
        if not noncurrent and _ends(about, "Expiration", "Days", age):
            if not versioned:
                _leave(paid, thing, storage, day - entered)
                return
            noncurrent, age = True, 0
        if noncurrent and _ends(about, "NoncurrentVersionExpiration", "NoncurrentDays", age):
            _leave(paid, thing, storage, day - entered)
            return
        to = _next(storage, _due(thing, about, age, noncurrent=noncurrent))
        if to is not None:
            _leave(paid, thing, storage, day - entered)
            paid[to, "moving"] += _MOVE[to] / 1000
            storage, entered = to, day
        paid[storage, "storage"] += _day(thing.size, storage, day - entered)
        if storage == "INTELLIGENT_TIERING" and thing.size >= 128 * _KB:
            paid[storage, "monitoring"] += 0.0025 / 1000 / 30.4375
        paid[storage, "reading"] += reads_a_year / 365 * _read(thing.size, storage)
        age += 1


def _about(thing: Thing, rules: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """Yield the rules about an object, and whether each says which sizes it is about."""
    for rule in rules:
        terms = rule["Filter"].get("And", rule["Filter"])
        more, less = terms.get("ObjectSizeGreaterThan"), terms.get("ObjectSizeLessThan")
        if rule["Status"] != "Enabled" or not thing.key.startswith(terms.get("Prefix", "")):
            continue
        if (more is None or thing.size > more) and (less is None or thing.size < less):
            yield rule, more is not None or less is not None


def _ends(about: _Rules, action: str, unit: str, age: int) -> bool:
    return any(action in rule and age >= rule[action][unit] for rule, _ in about)


def _due(thing: Thing, about: _Rules, age: int, *, noncurrent: bool) -> list[str]:
    actions, unit = ("NoncurrentVersionTransitions", "NoncurrentDays") if noncurrent else ("Transitions", "Days")
    return [
        move["StorageClass"]
        for rule, any_size in about
        for move in rule.get(actions, ())
        if move[unit] <= age and (any_size or thing.size >= 128 * _KB)
    ]


def _next(storage: str, due: Sequence[str]) -> str | None:
    colder = [to for to in due if _RANK.index(to) > _RANK.index(storage) and (storage, to) not in _FORBIDDEN]
    return max(colder, key=_RANK.index, default=None)


def _days_there(thing: Thing, about: _Rules) -> int:
    """Return how long an object has been in its class: since the rules brought it there, or since it was put."""
    storage = "STANDARD"
    for age in range(thing.age + 1):
        storage = _next(storage, _due(thing, about, age, noncurrent=thing.noncurrent)) or storage
        if storage == thing.storage_class != "STANDARD":
            return thing.age - age
    return thing.age


def _leave(paid: _Paid, thing: Thing, storage: str, held: int) -> None:
    missing = _LEAST_DAYS.get(storage, 0) - held
    if missing > 0:
        paid[storage, "minimum"] += missing * _day(thing.size, storage, 0)


def _day(size: int, storage: str, held: int) -> float:
    gb_day = 1 / (1024 * 1024 * _KB) / 30.4375
    if storage == "INTELLIGENT_TIERING":
        tier = 0.023 if held < 30 or size < 128 * _KB else 0.0125 if held < 90 else 0.004
        return size * tier * gb_day
    if storage in ("GLACIER", "DEEP_ARCHIVE"):
        return ((size + 32 * _KB) * _GB_MONTH[storage] + 8 * _KB * 0.023) * gb_day
    billed = max(size, 128 * _KB) if storage != "STANDARD" else size
    return billed * _GB_MONTH[storage] * gb_day


def _read(size: int, storage: str) -> float:
    if storage == "INTELLIGENT_TIERING":
        return sum(_day(size, storage, day) for day in range(90)) - 90 * _day(size, storage, 90)
    week = 7 * _day(size, "STANDARD", 0) if storage in _RESTORE else 0.0
    return size * _READ_GB.get(storage, 0.0) / (1024 * 1024 * _KB) + _RESTORE.get(storage, 0.0) + week
