"""The state of a place as it was read at one time: what all checks judge, and what plans are made from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from data_protection.inventory import Inventory, Tags, tags_of_answer
from data_protection.readings import Answer, Found, Missing, NotConfigured, Read, Reading, Unreadable
from data_protection.reads.kms import KEY
from data_protection.reads.listings import BUCKETS
from data_protection.reads.secrets import SECRET
from data_protection.resources import Kind, Place, Resource, account_of


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
        reader: Who read, as the ARN of a role or function; empty where nobody is to be told.
    """

    place: Place
    taken_at: datetime
    readings: Mapping[tuple[Resource, str], Reading]
    reader: str = ""

    @cached_property
    def inventory(self) -> Inventory:
        """What the calls about the account tell."""
        return Inventory(self.place, self.readings)

    def arn_of(self, resource: Resource) -> str:
        """Return the ARN that AWS gives a resource; what its name tells of it, where nothing was read that tells more.

        A key that is named by an alias has its own, a secret its random characters, a role its path.
        """
        if resource.kind is Kind.KEY and isinstance(reading := self.reading(KEY, resource), Found):
            return str(reading.answer.get("KeyMetadata", {}).get("Arn", resource.arn))
        if resource.kind is Kind.SECRET and isinstance(reading := self.reading(SECRET, resource), Found):
            return str(reading.answer.get("ARN", resource.arn))
        return self.inventory.arn_of(resource)

    def tags_of(self, resource: Resource) -> Tags | None:
        """Return the tags of a resource; None where they are not known, and any may be on it."""
        match resource.kind:
            case Kind.KEY:
                is_missing = isinstance(self.reading(KEY, resource), Missing)
                return {} if is_missing else self.inventory.tags_by_arn(self.arn_of(resource))
            case Kind.SECRET if isinstance(reading := self.reading(SECRET, resource), Found):
                return tags_of_answer(reading.answer.get("Tags", ()))
        return self.inventory.tags_of(resource)

    def where(self, resource: Resource) -> Place:
        """Return where a resource really is: a bucket may be in another region than the place that was assessed.

        One that S3 does not list is not there, or is not ours; it is taken to be in the place.

        Raises:
            NotRead: S3 did not list buckets, or does not say where this one is.
        """
        if resource.kind is not Kind.BUCKET:
            return resource.place
        if (region := self.inventory.region_of(resource.name)) is not None:
            return replace(resource.place, region=region)
        reading = self.reading(BUCKETS, account_of(self.place))
        if not isinstance(reading, Unreadable) and resource in self.inventory.listed({Kind.BUCKET}):
            reading = Unreadable("MalformedResponse", f"ListBuckets does not say where {resource.name} is.")
        if isinstance(reading, Unreadable):
            raise NotRead(BUCKETS, account_of(self.place), reading)
        return resource.place

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
