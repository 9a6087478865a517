"""What can go wrong in database_logs. The class names are the error names that logs and state machines see."""

from collections.abc import Mapping, Sequence
from typing import Any, Self


class DatabaseLogsError(Exception):
    """Base of this domain's errors."""


class SegmentMissing(DatabaseLogsError):
    """There is no raw segment where a message says one is."""


class SegmentDamaged(DatabaseLogsError):
    """A raw segment is no gzip, ends too early, or holds other bytes than were stored."""


class ParserVersionStale(DatabaseLogsError):
    """Parsers changed under one version: a segment becomes other files than this version made of it before."""


class ManifestContended(DatabaseLogsError):
    """A manifest was changed by others at every attempt to change it."""


class NewerParserBusy(DatabaseLogsError):
    """A newer version of the parsers has begun a segment and is not done."""


class LakeFileMissing(DatabaseLogsError):
    """A file of the lake that a message names is not there."""


class SearchUnavailable(DatabaseLogsError):
    """Search does not take documents for now."""


class SearchDenied(DatabaseLogsError):
    """Search refuses the sender or does not know the address."""


class SearchIncomplete(DatabaseLogsError):
    """Search lacks documents again and again that it says to have stored."""


class SearchSecretInvalid(DatabaseLogsError):
    """The secret with the user of the search engine does not hold one."""


class FleetInvalid(DatabaseLogsError):
    """The document that says whose logs are collected does not hold."""


class ApiThrottled(DatabaseLogsError):
    """The account may not ask RDS more often in this region for now."""


class ApiFailed(DatabaseLogsError):
    """RDS answers with an error that means nothing here."""


class ApiUnavailable(ApiFailed):
    """RDS fails, or does not answer; it will."""


class AccessRefused(DatabaseLogsError):
    """RDS or STS refuses the role; asking again changes nothing."""


class InstancePaused(DatabaseLogsError):
    """A Serverless v2 instance sleeps: nothing is written, and nothing can be read."""


class InstanceGone(DatabaseLogsError):
    """There is no such instance any more, or another one bears its name."""


class InstanceRenamed(DatabaseLogsError):
    """The instance has another name by now, under which discovery finds it."""


class ParametersGone(DatabaseLogsError):
    """There is no such parameter group any more."""


class CacheUnavailable(DatabaseLogsError):
    """What is kept of RDS' answers cannot be reached; RDS is asked instead."""


class TableThrottled(DatabaseLogsError):
    """DynamoDB leaves items of a batch unwritten again and again."""


class FileIgnored(DatabaseLogsError):
    """A task is about a file that is no log."""


class FileGone(DatabaseLogsError):
    """There is no file of this name: purged, renamed, or about to be."""


class FileChanged(DatabaseLogsError):
    """A name leads to another file than the one that was meant."""


class SeamBroken(DatabaseLogsError):
    """What is before the bytes that were asked for is not what was there: the server restarted, or is doing so."""


class PortionUnreadable(DatabaseLogsError):
    """Bytes do not come through portions as they are: binary, no UTF-8, CR LF, or a line of more than a megabyte."""


class CharacterCut(PortionUnreadable):
    """A portion was asked for from within a character, which RDS replaces."""


class DeliveryShort(DatabaseLogsError):
    """A complete file ended early more than once."""


class LeaseHeld(DatabaseLogsError):
    """Another worker has the file."""


class LeaseLost(DatabaseLogsError):
    """Another worker took the file over; whatever this one still does is fenced off."""


class WorkRemains(DatabaseLogsError):
    """The time of the function is used up and the file is not: the rest has to be a task of its own."""


class ReplayPageMissing(DatabaseLogsError):
    """A list of a replay is not there."""


class ReplayDiffers(DatabaseLogsError):
    """A replay that has this identity already is one of something else."""


class ReplayIncomplete(DatabaseLogsError):
    """Lists of a replay are not done."""


class MessagesRefused(DatabaseLogsError):
    """SQS took a batch and refused messages of it."""

    @classmethod
    def of(cls, failed: Sequence[Mapping[str, Any]], sent: int, queue_url: str) -> Self:
        """Return the error for what SendMessageBatch calls `Failed`."""
        return cls(
            f"SQS refused {len(failed)} of {sent} messages for {queue_url}, the first for {failed[0]['Code']}: "
            f"{failed[0].get('Message', '')}. Send them again."
        )
