"""Lifecycle rules, parsed from AWS' JSON.

Elements: https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self, TypeAlias

from data_protection.readings import Answer
from data_protection.times import moment

RawRule: TypeAlias = Mapping[str, Any]  # a rule as AWS' API has it, as plain JSON: times are ISO 8601

SMALL: Final = 128 * 1024
"""Bytes below which objects are not moved by default."""

LARGEST: Final = 5 * 1024**4
"""Bytes of as large an object as there may be: what a rule does to it, it does to all large ones."""


class StorageClass(StrEnum):
    """Of S3, by the names of its API."""

    STANDARD = "STANDARD"
    STANDARD_IA = "STANDARD_IA"
    INTELLIGENT_TIERING = "INTELLIGENT_TIERING"
    ONEZONE_IA = "ONEZONE_IA"
    GLACIER_IR = "GLACIER_IR"
    GLACIER = "GLACIER"
    DEEP_ARCHIVE = "DEEP_ARCHIVE"

    @property
    def is_archive(self) -> bool:
        """Whether an object must be restored before it can be read."""
        return self in {StorageClass.GLACIER, StorageClass.DEEP_ARCHIVE}

    @property
    def is_infrequent(self) -> bool:
        """Whether an object must be thirty days old to get there, and stays thirty days at least."""
        return self in {StorageClass.STANDARD_IA, StorageClass.ONEZONE_IA}

    def leads_to(self, other: "StorageClass") -> bool:
        """Return whether a lifecycle rule can move an object from this class to another one."""
        return other in _WATERFALL[self]


_ARCHIVES: Final = frozenset({StorageClass.GLACIER, StorageClass.DEEP_ARCHIVE})
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
_WATERFALL: Final = {
    StorageClass.STANDARD: frozenset(StorageClass) - {StorageClass.STANDARD},
    StorageClass.STANDARD_IA: _ARCHIVES
    | {StorageClass.INTELLIGENT_TIERING, StorageClass.ONEZONE_IA, StorageClass.GLACIER_IR},
    StorageClass.INTELLIGENT_TIERING: _ARCHIVES | {StorageClass.ONEZONE_IA, StorageClass.GLACIER_IR},
    StorageClass.ONEZONE_IA: _ARCHIVES,
    StorageClass.GLACIER_IR: _ARCHIVES,
    StorageClass.GLACIER: frozenset({StorageClass.DEEP_ARCHIVE}),
    StorageClass.DEEP_ARCHIVE: frozenset[StorageClass](),
}


class DefaultMinimum(StrEnum):
    """Which small objects move where a rule has no filter by size (`TransitionDefaultMinimumObjectSize`)."""

    ALL_128K = "all_storage_classes_128K"  # none below 128 KB
    VARIES = "varies_by_storage_class"  # to GLACIER and DEEP_ARCHIVE all, elsewhere none below 128 KB


@dataclass(frozen=True)
class When:
    """When an action happens: exactly one of an age and a date.

    Attributes:
        days: Age of the object.
        date: Midnight in UTC, from which on it happens to all objects.
    """

    days: int | None = None
    date: datetime | None = None

    @classmethod
    def parse(cls, action: Mapping[str, Any]) -> Self:
        """Return when an action of AWS' JSON happens.

        Raises:
            ValueError: It has neither an age nor a date.
        """
        days, date = action.get("Days"), action.get("Date")
        if days is None and date is None:
            raise ValueError(f"the lifecycle action {dict(action)} has neither Days nor Date")
        return cls(days, None if date is None else moment(str(date)))

    def age(self, now: datetime) -> int | None:
        """Return the age in days at which it happens to an object; None where its date is still to come."""
        if self.date is None:
            return self.days
        return 0 if self.date <= now else None


@dataclass(frozen=True)
class Transition:
    """Moves objects to another storage class."""

    storage_class: StorageClass
    when: When


@dataclass(frozen=True)
class Rule:
    """What one rule does to objects.

    Attributes:
        id: Of it; empty for one that has none.
        enabled: Whether it is in effect.
        prefix: Of the keys that it is about; empty for all.
        tags: That an object must carry.
        larger_than: Bytes that an object must exceed.
        smaller_than: Bytes that an object must stay below.
        transitions: Of current versions.
        expiration: Of current versions.
        noncurrent_days: After which noncurrent versions are deleted.
        noncurrent_kept: How many newer noncurrent versions must exist before one is deleted.
        noncurrent_transitions: Of noncurrent versions, by the days since they became so.
        is_legacy: Whether it says its prefix outside a filter, as the first version of the API did.
    """

    id: str
    enabled: bool
    prefix: str
    tags: frozenset[tuple[str, str]]
    larger_than: int | None
    smaller_than: int | None
    transitions: tuple[Transition, ...]
    expiration: When | None
    noncurrent_days: int | None
    noncurrent_kept: int
    is_legacy: bool
    noncurrent_transitions: tuple[Transition, ...] = ()

    @classmethod
    def parse(cls, raw: RawRule) -> Self:
        """Return a rule of AWS' JSON.

        Raises:
            LookupError, TypeError, ValueError: It is none that we know.
        """
        if "Filter" not in raw and "Prefix" not in raw:
            raise ValueError(f"the lifecycle rule {raw.get('ID', '')!r} has neither Filter nor Prefix")
        one = raw.get("Filter", {"Prefix": raw.get("Prefix", "")})
        terms = one.get("And", one)
        tags = [*terms.get("Tags", ()), *([one["Tag"]] if "Tag" in one else ())]
        noncurrent = raw.get("NoncurrentVersionExpiration", {})
        expiration = raw.get("Expiration", {})
        return cls(
            id=raw.get("ID", ""),
            enabled=raw["Status"] == "Enabled",
            prefix=terms.get("Prefix", ""),
            tags=frozenset((tag["Key"], tag["Value"]) for tag in tags),
            larger_than=terms.get("ObjectSizeGreaterThan"),
            smaller_than=terms.get("ObjectSizeLessThan"),
            transitions=tuple(
                Transition(StorageClass(action["StorageClass"]), When.parse(action))
                for action in raw.get("Transitions", ())
            ),
            # Without Days and Date it removes delete markers, which are no objects.
            expiration=When.parse(expiration) if {"Days", "Date"} & expiration.keys() else None,
            noncurrent_days=noncurrent.get("NoncurrentDays"),
            noncurrent_kept=noncurrent.get("NewerNoncurrentVersions", 0),
            is_legacy="Filter" not in raw,
            noncurrent_transitions=tuple(
                Transition(StorageClass(action["StorageClass"]), When(action["NoncurrentDays"]))
                for action in raw.get("NoncurrentVersionTransitions", ())
            ),
        )

    @property
    def least(self) -> int:
        """Bytes of the smallest object that it is about."""
        return 0 if self.larger_than is None else self.larger_than + 1

    @property
    def limit(self) -> int:
        """Bytes from which on it is about no object."""
        return LARGEST + 1 if self.smaller_than is None else self.smaller_than

    @property
    def about(self) -> str:
        """What people say after "objects"; empty for all objects of the bucket."""
        said = [
            *([f"below {self.prefix!r}"] if self.prefix else []),
            *(f"with the tag {key}={value}" for key, value in sorted(self.tags)),
            *([] if self.larger_than is None else [f"larger than {self.larger_than} bytes"]),
            *([] if self.smaller_than is None else [f"smaller than {self.smaller_than} bytes"]),
        ]
        return " and ".join(said)

    @property
    def filters_by_size(self) -> bool:
        """Whether it says which sizes it is about, which replaces the default minimum."""
        return self.larger_than is not None or self.smaller_than is not None

    def covers(self, key: str, size: int, tags: frozenset[tuple[str, str]] = frozenset()) -> bool:
        """Return whether it is about an object; a prefix as the key stands for all objects below it.

        Args:
            key: Of the object.
            size: Of it, in bytes.
            tags: Of it.
        """
        return (
            key.startswith(self.prefix)
            and self.tags <= tags
            and (self.larger_than is None or size > self.larger_than)
            and (self.smaller_than is None or size < self.smaller_than)
        )


@dataclass(frozen=True)
class Configuration:
    """The lifecycle of a bucket.

    Attributes:
        rules: Of it, in AWS' order.
        minimum: For rules without a filter by size.
    """

    rules: tuple[Rule, ...] = ()
    minimum: DefaultMinimum = DefaultMinimum.ALL_128K

    @classmethod
    def parse(cls, answer: Answer | None) -> Self:
        """Return the lifecycle that AWS answers with; an empty one for a bucket that has none.

        Raises:
            LookupError, TypeError, ValueError: The answer is none that we know.
        """
        if answer is None:
            return cls()
        # AWS applies 128 KB to all classes since September 2024 unless it says otherwise.
        minimum = answer.get("TransitionDefaultMinimumObjectSize", DefaultMinimum.ALL_128K)
        return cls(tuple(Rule.parse(raw) for raw in answer["Rules"]), DefaultMinimum(minimum))
