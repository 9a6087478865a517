"""How often the machines of firewall_logs step, call and ask, as a function of how much there is to do. Pure.

Every formula follows the code of the step that it is named after; `tests/pipeline/test_scale.py` and
`tests/e2e/test_scale.py` hold it against what the real steps send. What is counted is a run, or a seal, in which
nothing fails and nothing is tried again. Requests are by service and operation, as `kernel.metering` counts them.
"""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Final

# Entered states of the two machines where all goes well, and for each unit: its own state, and the start of its child.
RUN_TRANSITIONS: Final = 8
SEAL_TRANSITIONS: Final = 13
UNIT_TRANSITIONS: Final = 2
# Events in the history of the machine itself: two a state, two a task, two of the execution. Children have their own.
RUN_EVENTS: Final = 2 * RUN_TRANSITIONS + 2 * 3 + 2
SEAL_EVENTS: Final = 2 * SEAL_TRANSITIONS + 2 * 5 + 2
# What the Distributed Map does itself: reads the list of its units; writes a manifest and the list of what succeeded.
MAP_REQUESTS: Final = Counter({"s3.GetObject": 1, "s3.PutObject": 2})

_LISTED_AT_ONCE: Final = 1_000
_DELETED_AT_ONCE: Final = 1_000
_QUERIED_BYTES: Final = 1 << 20
_INDEX_ITEM_BYTES: Final = 150
_KINDS: Final = 2  # events and hourly counts: files of a slice and day
_SEALED_KINDS: Final = 4  # and both lookup tables: files of a cut
_COUNTS: Final = 2  # of these, files that are read whole to add up what they count

Requests = Counter[str]


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run of process_objects.

    Attributes:
        objects: Raw objects, all new.
        slices: Of all of them.
        units: For functions.
        slice_days: Event dates of each slice.
        days: Event dates of all of them; none was ever sealed.
        known_days: Of these, that had rows before this run.
        quarantining: Slices that have rows to quarantine.
        parquet: Whether the objects are parquet, not NDJSON.
        footer_gets: GETs for the footer of a parquet object: one up to 64 KiB, two beyond.
        extra_ranges: GETs for the bytes of slices beyond one each: of a part of an object, for magic and footer.
        listed: Whether a list names the objects, instead of the input.
        partition_files: Files that each partition has in the end, for listing.
    """

    objects: int
    slices: int
    units: int
    slice_days: int = 1
    days: int = 1
    known_days: int = 0
    quarantining: int = 0
    parquet: bool = False
    footer_gets: int = 1
    extra_ranges: int = 0
    listed: bool = False
    partition_files: int = 1

    @property
    def transitions(self) -> int:
        """State transitions of the machine and its children."""
        return RUN_TRANSITIONS + UNIT_TRANSITIONS * self.units

    @property
    def calls(self) -> int:
        """Calls of functions."""
        return self.units + 3

    @property
    def files(self) -> int:
        """Files that the run writes to the lake."""
        return _KINDS * self.slice_days * self.slices + self.quarantining


@dataclass(frozen=True, kw_only=True)
class Seal:
    """A seal of a day that was never sealed, and of which everything is in the lake; ReconcileDay reads it by itself.

    Attributes:
        objects: With rows of the day.
        swept: Objects in the sweep's window: those of three days of arrival.
        slices: Of these objects, with rows of the day.
        cuts: Of the day, all in functions, and no hour of a host so full that it is divided.
        prefixes: That the sweep lists: three of a dated feed, one of another.
        parquet_objects: Of the objects, those that are parquet.
        footer_gets: GETs for the footer of one: one up to 64 KiB, two beyond.
        lines_slices: Slices of the others, which are NDJSON.
        cut_ranges: GETs of a cut for a file that may have rows of it: one where what lies between them and the footer
            is fetched as well, else two.
        days: That ever had rows.
    """

    objects: int
    swept: int
    slices: int
    cuts: int
    prefixes: int
    parquet_objects: int
    lines_slices: int
    footer_gets: int = 1
    cut_ranges: int = 1
    days: int = 1

    @property
    def transitions(self) -> int:
        """State transitions of the machine and its children."""
        return SEAL_TRANSITIONS + UNIT_TRANSITIONS * self.cuts

    @property
    def calls(self) -> int:
        """Calls of functions."""
        return self.cuts + 5


def run_steps(run: Run) -> dict[str, Requests]:
    """Return requests by step; those of `process_unit` are of all units together."""
    partitions = _KINDS * run.days + min(run.quarantining, 1)
    return {
        "plan_run": Counter(
            {
                "ssm.GetParameter": 1,
                # plan, intent, failure; the list
                "s3.GetObject": 3 + run.objects + run.listed + run.parquet * run.objects * run.footer_gets,
                "s3.HeadObject": run.objects,
                # intent; both lists of units and the plan
                "s3.PutObject": 1 + 3,
                "dynamodb.UpdateItem": run.objects,
            }
        ),
        "process_unit": Counter(
            {
                "ssm.GetParameter": run.units,
                # a look for the receipt, and the bytes
                "s3.GetObject": 2 * run.slices + run.extra_ranges,
                "s3.PutObject": run.files + run.slices,
                "dynamodb.UpdateItem": 2 * run.slices,
            }
        ),
        "reconcile_run": Counter(
            {
                # plan, receipts, footers, and the hourly counts whole
                "s3.GetObject": 1 + run.slices + run.files + run.slice_days * run.slices,
                "s3.ListObjectsV2": partitions * math.ceil(run.partition_files / _LISTED_AT_ONCE),
                "s3.PutObject": 1,
                "dynamodb.BatchGetItem": run.objects,
            }
        ),
        "commit_run": Counter(
            {
                # plan, reconciliation, receipts
                "s3.GetObject": 2 + run.slices,
                # manifests, summary
                "s3.PutObject": run.objects + 1,
                # the index of days
                "dynamodb.PutItem": run.objects * run.slice_days,
                # states of days, commits
                "dynamodb.UpdateItem": run.days + run.objects,
                "dynamodb.GetItem": run.known_days,
                "eventbridge.PutEvents": 1,
            }
        ),
    }


def seal_steps(seal: Seal) -> dict[str, Requests]:
    """Return requests by step; those of `compact_unit` are of all cuts together."""
    pages = max(1, math.ceil(seal.objects * _INDEX_ITEM_BYTES / _QUERIED_BYTES))
    lists = math.ceil(seal.slices / _LISTED_AT_ONCE)
    return {
        "sweep_day": Counter(
            {
                "ssm.GetParameter": 1,
                "s3.ListObjectVersions": seal.prefixes - 1 + max(1, math.ceil(seal.swept / _LISTED_AT_ONCE)),
                # a version that nobody finished
                "s3.GetObject": 1,
                "s3.PutObject": 1,
                "dynamodb.BatchGetItem": seal.swept,
                "dynamodb.GetItem": 1,
                "dynamodb.UpdateItem": 1,
            }
        ),
        "reconcile_day": Counter(
            {
                "ssm.GetParameter": 1,
                # manifests; raw footers or receipts; footers of events, and hourly counts whole
                "s3.GetObject": seal.objects
                + seal.parquet_objects * seal.footer_gets
                + seal.lines_slices
                + _KINDS * seal.slices,
                "s3.ListObjectsV2": _KINDS * lists,
                # reconciliation; inputs, both lists of work and the plan
                "s3.PutObject": 1 + 4,
                "dynamodb.BatchGetItem": seal.objects,
                "dynamodb.GetItem": 1,
                "dynamodb.Query": pages,
            }
        ),
        "compact_unit": Counter(
            {
                # a look for the receipt, the inputs, and of every file what may be of the cut
                "s3.GetObject": seal.cuts * (2 + seal.slices * seal.cut_ranges),
                "s3.PutObject": seal.cuts * (_SEALED_KINDS + 1),
            }
        ),
        "validate_day": Counter(
            {
                "ssm.GetParameter": 2,
                # plan; receipts, footers, counts whole
                "s3.GetObject": 1 + seal.cuts * (1 + _SEALED_KINDS + _COUNTS),
                # table of verdicts, candidate
                "s3.PutObject": 2,
                "dynamodb.Query": math.ceil(seal.days * _INDEX_ITEM_BYTES / _QUERIED_BYTES),
            }
        ),
        "seal_day": Counter(
            {
                "s3.GetObject": 1,
                # the version, and a list of files a table
                "s3.PutObject": 1 + _SEALED_KINDS,
                # whether the seal holds the day, and its new state
                "dynamodb.UpdateItem": 2,
                "dynamodb.Query": pages,
                "eventbridge.PutEvents": 1,
            }
        ),
        "clean_day": Counter(
            {
                # the version and the one before it
                "s3.GetObject": 2,
                "s3.ListObjectsV2": _SEALED_KINDS,
                "s3.DeleteObjects": math.ceil(_KINDS * seal.slices / _DELETED_AT_ONCE),
                # whether the seal holds the day, and its end
                "dynamodb.UpdateItem": 2,
            }
        ),
    }


def runs_of_a_day(objects: int, batching_seconds: int, batch_size: int) -> int:
    """Return how many runs the events of a day's objects start, if these come evenly.

    The queue gathers for a window that begins with its first message, and hands on at most a batch.
    """
    at_once = max(1, min(batch_size, objects * batching_seconds // 86_400))
    return math.ceil(objects / at_once)
