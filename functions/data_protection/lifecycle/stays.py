"""Where an object is day by day: the storage classes that it stays in until it is gone or the forecast ends."""

from collections.abc import Iterator
from dataclasses import dataclass

from data_protection.lifecycle.effects import Course, Move
from data_protection.lifecycle.rules import StorageClass


@dataclass(frozen=True)
class Stay:
    """Days in one storage class.

    Attributes:
        storage_class: Which.
        start, end: Days of the forecast, the first one and the one after the last.
        held: Days that the object had been in the class before.
        moved: Whether a lifecycle moved it there at the start.
        left: Whether it leaves at the end: to another class, or by being deleted. Otherwise the forecast ends.
    """

    storage_class: StorageClass
    start: int
    end: int
    held: int
    moved: bool
    left: bool


@dataclass(frozen=True)
class Fate:
    """What becomes of objects of one kind.

    Attributes:
        current: Of the current version, by its age.
        noncurrent: Of a noncurrent version, by the days since it became so.
        versioned: Whether the bucket keeps what is deleted as a noncurrent version.
    """

    current: Course
    noncurrent: Course
    versioned: bool


def stays(
    fate: Fate, storage_class: StorageClass, age: int, *, noncurrent: bool, begin: int, horizon: int
) -> tuple[Stay, ...]:
    """Return the stays of an object.

    What is overdue by its age happens on the first day, and leads to the coldest class at once.

    Args:
        fate: Of its kind.
        storage_class: That it is in.
        age: In days: since it was put, or since it became noncurrent.
        noncurrent: Whether it is a noncurrent version.
        begin: Day of the forecast on which this is so.
        horizon: Days of the forecast.
    """
    found: list[Stay] = []
    start, current, held, moved = begin, storage_class, _held(fate, storage_class, age, noncurrent=noncurrent), False
    turns, end = _turns(fate, storage_class, age, noncurrent=noncurrent)
    for after, to in turns:
        day = begin + after
        if day >= horizon:
            break
        if day > start or held:
            found.append(Stay(current, start, day, held, moved, left=True))
        start, current, held, moved = day, to, 0, True
    last = horizon if end is None else min(begin + end, horizon)
    if last > start or held:
        found.append(Stay(current, start, last, held, moved, left=end is not None and begin + end < horizon))
    return tuple(found)


def _held(fate: Fate, storage_class: StorageClass, age: int, *, noncurrent: bool) -> int:
    """Return how long an object has been in its class: since the lifecycle moved it, or else since it was put."""
    course = fate.noncurrent if noncurrent else fate.current
    move = course.reaches(storage_class)
    return age if move is None or move.age > age else age - move.age


def _turns(
    fate: Fate, storage_class: StorageClass, age: int, *, noncurrent: bool
) -> tuple[list[tuple[int, StorageClass]], int | None]:
    """Return the moves of an object, by days from now, and when it is gone; None for never."""
    course = fate.noncurrent if noncurrent else fate.current
    turns, end = _moves(course, storage_class, age), _left(course, age)
    if noncurrent or end is None or not fate.versioned:
        return turns, end
    # There an expiration deletes nothing: the version becomes noncurrent.
    reached = turns[-1][1] if turns else storage_class
    turns += [(end + after, to) for after, to in _moves(fate.noncurrent, reached, 0)]
    rest = _left(fate.noncurrent, 0)
    return turns, None if rest is None else end + rest


def _left(course: Course, age: int) -> int | None:
    return None if course.expires is None else max(course.expires - age, 0)


def _moves(course: Course, storage_class: StorageClass, age: int) -> list[tuple[int, StorageClass]]:
    return [(after, move.storage_class) for after, move in due(course, storage_class, age)]


def due(course: Course, storage_class: StorageClass, age: int) -> Iterator[tuple[int, Move]]:
    """Yield the moves that are left to an object, by days from now; of what is overdue, the one to the coldest class.

    Args:
        course: Of its life.
        storage_class: That it is in.
        age: In days.
    """
    if course.expires is not None and course.expires <= age:
        return
    current = storage_class
    overdue = [move for move in course.moves if move.age <= age]
    first = next((move for move in reversed(overdue) if current.leads_to(move.storage_class)), None)
    if first is not None:
        yield 0, first
        current = first.storage_class
    for move in course.moves:
        if move.age > age and current.leads_to(move.storage_class):
            yield move.age - age, move
            current = move.storage_class
