"""What is known of an instance as of the last look at the fleet."""

from datetime import datetime, timedelta
from typing import Final

from database_logs.discovery.formats import Formats
from database_logs.discovery.instances import Instance
from kernel.contracts import Document

# Of the week that an item is kept: whoever is there is noted again long before that.
_NOTED_AGAIN: Final = timedelta(days=1)


class Facts(Document):
    """An instance, its cluster, and how it writes its logs.

    Attributes:
        formats: None until some of its logs moved.
        first_seen: When discovery found it first.
        last_seen: When this was noted; what is there is noted again within a day.
    """

    instance: Instance
    formats: Formats | None = None
    first_seen: datetime
    last_seen: datetime


def noted(before: Facts | None, instance: Instance, now: datetime, formats: Formats | None = None) -> Facts | None:
    """Return what is to be noted of an instance; None if that is known.

    Args:
        before: What is noted.
        instance: As it is listed now.
        now: The time.
        formats: If they were asked for.
    """
    if before is None:
        return Facts(instance=instance, formats=formats, first_seen=now, last_seen=now)
    changed = before.model_copy(update={"instance": instance, "formats": formats or before.formats})
    if changed == before and now - before.last_seen < _NOTED_AGAIN:
        return None
    return changed.model_copy(update={"last_seen": now})
