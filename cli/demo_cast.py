"""Which of the generated objects play a part of their own in the demo."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo.plant import Planted, PlantedObject, Put

_SWEPT_FEED: Final = "3"
_LATE_FEED: Final = "2.ford"
_ARCHIVED_FEED: Final = "47"


@dataclass(frozen=True)
class Cast:
    """Objects that do not simply come and are announced.

    Attributes:
        archive: Prefix of a feed's first day, which was there before anybody listened: a backfill brings it in.
        swept: An object whose event never comes.
        late: An object that comes once its day is sealed.
    """

    archive: str
    swept: str
    late: str

    @classmethod
    def of(cls, planted: "Planted") -> Self:
        """Choose them: the last sound object of a feed, and the folder of the first day of another."""
        first = min(each.key for each in _sound(planted, _ARCHIVED_FEED))
        return cls(
            archive=f"{first.rpartition('/')[0]}/",
            swept=max(each.key for each in _sound(planted, _SWEPT_FEED)),
            late=max(each.key for each in _sound(planted, _LATE_FEED)),
        )

    def is_silent(self, put: "Put") -> bool:
        """Return whether nobody is told of an object."""
        return put.key == self.swept or put.key.startswith(self.archive)

    def is_late(self, put: "Put") -> bool:
        """Return whether an object comes after the seal."""
        return put.key == self.late


def _sound(planted: "Planted", feed: str) -> "Iterator[PlantedObject]":
    return (each for each in planted.objects if each.feed == feed and each.rows_out)
