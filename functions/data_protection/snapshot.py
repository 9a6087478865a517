"""The state of a place as it was read at one time: what all checks judge, and what plans are made from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from data_protection.readings import Answer, Found, Missing, NotConfigured, Read, Reading, Unreadable
from data_protection.resources import Kind, Place, Resource


class NotRead(Exception):
    """A verdict needs what could not be read.

    Attributes:
        read: The call.
        resource: Of which.
        reading: What came instead of an answer.
    """

    def __init__(self, read: Read, resource: Resource, reading: Unreadable) -> None:
        super().__init__(f"{read.name} of {resource} was not answered: {reading.code}: {reading.message}")
        self.read, self.resource, self.reading = read, resource, reading


class ResourceMissing(Exception):
    """A verdict needs a resource that does not exist."""

    def __init__(self, resource: Resource) -> None:
        super().__init__(f"{resource} does not exist")
        self.resource = resource


@dataclass(frozen=True)
class Snapshot:
    """Readings of the resources of a place.

    Attributes:
        place: Which account and region.
        taken_at: When the reading began.
        readings: By resource and name of the read. What is not in it was not asked, and counts as unreadable.
        tags: Of resources that have or had some, by ARN; None where they could not be read.
    """

    place: Place
    taken_at: datetime
    readings: Mapping[tuple[Resource, str], Reading]
    tags: Mapping[str, Mapping[str, str]] | None = field(default_factory=dict)

    def tags_of(self, resource: Resource) -> Mapping[str, str]:
        """Return the tags of a resource; none, too, where they could not be read."""
        return (self.tags or {}).get(resource.arn, {})

    def reading(self, read: Read, of: Resource) -> Reading:
        """Return what was read, an answer or not."""
        return self.readings.get((of, read.name), Unreadable("NotAsked", "The snapshot does not hold this."))

    def find(self, read: Read, of: Resource) -> Answer | None:
        """Return AWS' answer, or None where it says that this was never configured.

        Raises:
            NotRead: There is no answer.
            ResourceMissing: The resource does not exist.
        """
        match self.reading(read, of):
            case Found(answer):
                return answer
            case NotConfigured():
                return None
            case Missing():
                raise ResourceMissing(of)
            case Unreadable() as reading:
                raise NotRead(read, of, reading)

    def get(self, read: Read, of: Resource) -> Answer:
        """Return AWS' answer; an empty one where it says that this was never configured.

        Raises:
            NotRead: There is no answer.
            ResourceMissing: The resource does not exist.
        """
        return self.find(read, of) or {}

    def resources(self, kind: Kind) -> Iterable[Resource]:
        """Return the resources of a kind of which anything was read, in order."""
        return sorted({resource for resource, _ in self.readings if resource.kind is kind})
