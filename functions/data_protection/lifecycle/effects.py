"""What a lifecycle does to an object as it ages.

Where rules meet, the earliest expiration counts, an expiration counts more than a transition, and of transitions at one
age the coldest: https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-conflicts.html
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from data_protection.lifecycle.rules import SMALL, Configuration, DefaultMinimum, Rule, StorageClass, Transition

_COLDNESS: Final = {storage_class: rank for rank, storage_class in enumerate(StorageClass)}


@dataclass(frozen=True)
class Move:
    """An object changes its storage class.

    Attributes:
        age: Of the object, in days.
        storage_class: Where it goes.
        rule: Id of the rule that moves it; may be empty.
    """

    age: int
    storage_class: StorageClass
    rule: str


@dataclass(frozen=True)
class Course:
    """The life of an object.

    Attributes:
        moves: In order of age.
        expires: The age in days at which the current version is deleted; None for never.
        expired_by: Id of the rule that deletes it.
    """

    moves: tuple[Move, ...] = ()
    expires: int | None = None
    expired_by: str = ""

    def reaches(self, storage_class: StorageClass) -> Move | None:
        """Return the move to a storage class, or None where the object never gets there."""
        return next((move for move in self.moves if move.storage_class is storage_class), None)

    def at(self, age: int) -> StorageClass | None:
        """Return the storage class at an age in days; None for an object that was deleted by then."""
        if self.expires is not None and age >= self.expires:
            return None
        return max(
            (move.storage_class for move in self.moves if move.age <= age),
            key=_COLDNESS.__getitem__,
            default=StorageClass.STANDARD,
        )


def course(
    configuration: Configuration, key: str, size: int, now: datetime, tags: frozenset[tuple[str, str]] = frozenset()
) -> Course:
    """Return what becomes of an object that is put as STANDARD.

    Args:
        configuration: Of its bucket.
        key: Of it; a prefix stands for what happens to all objects below it that are of this size.
        size: Of it, in bytes.
        now: Actions of dates before now happen at once; of dates to come they are left out.
        tags: Of it.
    """
    rules = [rule for rule in configuration.rules if rule.enabled and rule.covers(key, size, tags)]
    ends = [
        (age, rule.id)
        for rule in rules
        if rule.expiration is not None and (age := rule.expiration.age(now)) is not None
    ]
    moves = [
        Move(age, transition.storage_class, rule.id)
        for rule in rules
        for transition in rule.transitions
        if (age := transition.when.age(now)) is not None
        and is_large_enough(rule, transition, size, configuration.minimum)
    ]
    return _course(moves, ends)


def noncurrent_course(configuration: Configuration, key: str, size: int) -> Course:
    """Return what becomes of a noncurrent version, by the days since it became so, as `course` does of a current one.

    Versions that a rule keeps by their number (NewerNoncurrentVersions) go with the others here.
    """
    rules = [rule for rule in configuration.rules if rule.enabled and rule.covers(key, size)]
    ends = [(rule.noncurrent_days, rule.id) for rule in rules if rule.noncurrent_days is not None]
    moves = [
        Move(transition.when.days, transition.storage_class, rule.id)
        for rule in rules
        for transition in rule.noncurrent_transitions
        if transition.when.days is not None and is_large_enough(rule, transition, size, configuration.minimum)
    ]
    return _course(moves, ends)


def moves_of_some(configuration: Configuration, now: datetime) -> Iterator[tuple[Rule, Move]]:
    """Yield the moves that some current version makes, with the rule: what deletes all it is about before is regarded.

    `course` tells of objects that are known; this tells whether there can be some that move, by whatever prefix, size
    and tags.
    """
    ends = [
        (rule, age)
        for rule in configuration.rules
        if rule.enabled and rule.expiration is not None and (age := rule.expiration.age(now)) is not None
    ]
    for rule in configuration.rules:
        for transition in rule.transitions if rule.enabled else ():
            age = transition.when.age(now)
            if age is not None and _is_left(rule, transition, age, ends, configuration.minimum):
                yield rule, Move(age, transition.storage_class, rule.id)


def noncurrent_moves_of_some(configuration: Configuration) -> Iterator[tuple[Rule, Move]]:
    """Yield the moves that any noncurrent version makes, by the rule, as `moves_of_some` does for current ones."""
    ends = [
        (rule, rule.noncurrent_days)
        for rule in configuration.rules
        # One that keeps some by their number does not delete all.
        if rule.enabled and rule.noncurrent_days is not None and not rule.noncurrent_kept
    ]
    for rule in configuration.rules:
        for transition in rule.noncurrent_transitions if rule.enabled else ():
            age = transition.when.days
            if age is not None and _is_left(rule, transition, age, ends, configuration.minimum):
                yield rule, Move(age, transition.storage_class, rule.id)


def _is_left(
    rule: Rule, transition: Transition, age: int, ends: Iterable[tuple[Rule, int]], minimum: DefaultMinimum
) -> bool:
    """Return whether objects of some size are still there when a rule moves them."""
    left = rule.least if is_large_enough(rule, transition, rule.least, minimum) else SMALL
    taken = sorted(
        (other.least, other.limit)
        for other, end in ends
        if end <= age and rule.prefix.startswith(other.prefix) and other.tags <= rule.tags
    )
    for least, limit in taken:
        if least <= left:
            left = max(left, limit)
    return left < rule.limit


def _course(all_moves: Iterable[Move], ends: Iterable[tuple[int, str]]) -> Course:
    expires, expired_by = min(ends, default=(None, ""))
    moves: list[Move] = []
    current = StorageClass.STANDARD
    for move in sorted(all_moves, key=lambda move: (move.age, -_COLDNESS[move.storage_class])):
        if current.leads_to(move.storage_class) and (expires is None or move.age < expires):
            moves.append(move)
            current = move.storage_class
    return Course(tuple(moves), expires, expired_by)


def is_large_enough(rule: Rule, transition: Transition, size: int, minimum: DefaultMinimum) -> bool:
    """Return whether an object of a size in bytes, which a rule covers, is moved by a transition of it."""
    if size >= SMALL or rule.filters_by_size:
        return True
    return minimum is DefaultMinimum.VARIES and transition.storage_class.is_archive


def makes(rule: Rule, move: Move, *, noncurrent: bool) -> bool:
    """Return whether a move is one of a rule's, of noncurrent versions or of current ones."""
    transitions = rule.noncurrent_transitions if noncurrent else rule.transitions
    return move.rule == rule.id and any(one.storage_class is move.storage_class for one in transitions)


def noncurrent_days(configuration: Configuration, prefix: str) -> int | None:
    """Return after how many days every noncurrent version below a prefix is deleted; None for not at all."""
    ends = [
        rule.noncurrent_days
        for rule in configuration.rules
        if rule.enabled
        and rule.noncurrent_days is not None
        and prefix.startswith(rule.prefix)
        and not rule.tags
        and not rule.filters_by_size
    ]
    return min(ends, default=None)
