"""Collectors, composed of what they act through."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from database_logs.adapters.apis import CompleteApis, LogApis
from database_logs.adapters.fleet import FleetParameter
from database_logs.adapters.instance_facts import InstanceFacts
from database_logs.adapters.messages import Messages
from database_logs.adapters.segments import Segments
from database_logs.adapters.tasks import CollectQueue
from database_logs.adapters.tracking import Tracking
from database_logs.collection.collector import Collector, Limits
from kernel import aws

if TYPE_CHECKING:
    from database_logs.contracts import FileRef
    from database_logs.settings import ReadingSettings


class Collectors:
    """A collector for each account and region of the fleet; of one call of a function.

    Args:
        settings: Of the function.
        valkey_url: Of the Valkey that keeps RDS' answers; empty without one.
        limits: How collectors work.
        now: The time.
        remaining: Seconds until the function is ended.

    Attributes:
        apis: RDS, for what was asked of it.
        tasks: The queue of collection.
    """

    IAM: ClassVar = (
        FleetParameter.IAM
        | LogApis.IAM
        | CompleteApis.IAM
        | InstanceFacts.IAM
        | Tracking.IAM
        | Segments.IAM
        | Messages.IAM
        | CollectQueue.IAM
    )

    def __init__(
        self,
        settings: "ReadingSettings",
        valkey_url: str,
        limits: Limits,
        now: Callable[[], datetime],
        remaining: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._limits = limits
        self._now = now
        self._remaining = remaining
        self._fleet = FleetParameter(aws.ssm(), settings.fleet_parameter).load()
        tables = (settings.tracking_table, settings.metadata_table)
        self.apis = LogApis(self._fleet, aws.dynamodb(), tables, valkey_url, now)
        self.tasks = CollectQueue(aws.sqs(), settings.collect_queue_url)

    def of(self, file: "FileRef") -> Collector:
        """Return the collector of the account and region of a file.

        Raises:
            FleetInvalid: The fleet has no such account or region (any more).
            AccessRefused: STS refuses its role.
            ApiFailed: STS fails.
        """
        settings = self._settings
        estate = self._fleet.estate(file.account, file.region)
        return Collector(
            self.apis.of(estate),
            CompleteApis(self.apis).of(estate),
            InstanceFacts(aws.dynamodb(), settings.metadata_table, self._now),
            Tracking(aws.dynamodb(), (settings.tracking_table, settings.jobs_table)),
            Segments(aws.s3(), settings.segments_bucket),
            Messages(aws.sqs(), settings.parse_queue_url),
            self.tasks,
            self._limits,
            self._now,
            lambda: self._remaining() - settings.margin_seconds,
        )
