"""How often database_logs asks RDS and AWS, as a function of how much there is to collect. Pure.

Every formula follows the code that it is named after; `test_rds_scale.py` in tests/handlers and tests/pipeline holds
the counts of a task and of a segment against what the real code sends. What is counted is work in which nothing fails
and nothing is tried again. Requests are by service and operation, as `kernel.metering` counts them, those to RDS too.
"""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Final

# What RDS gives in an answer, DescribeDBInstances on a page, and tokens of the budget that are taken at once.
PORTION_BYTES: Final = 1 << 20
_INSTANCES_AT_ONCE: Final = 100
_TOKENS_AT_ONCE: Final = 5
_TOKENS_OF_A_PASS: Final = 10
# A lane has this part of a megabyte for each of its portions, and two of them at least.
_LANE_SHARE: Final = PORTION_BYTES - PORTION_BYTES // 64
_LANE_PORTIONS: Final = 2
# The range and the offset behind it in a transaction, each of them written twice.
_COMMIT_UNITS: Final = 2 * 2
# A portion that tells the form of markers.
_PORTIONS_BESIDE: Final = 1
_QUEUED_AT_ONCE: Final = 10

Requests = Counter[str]


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task that stores what a file has beyond its position, which is not its first byte.

    Attributes:
        size: Bytes that there are.
        segments: That they become.
        line_bytes: Of a line: a full portion ends in a cut one, half of which is asked for again.
        streamed: Whether they come as a complete file.
    """

    size: float
    segments: int = 1
    line_bytes: float = 0
    streamed: bool = False

    @property
    def portions(self) -> int:
        """Portions that bring the bytes."""
        return 0 if self.streamed else math.ceil(self.size / (PORTION_BYTES - self.line_bytes / 2))

    def rounds(self, lanes: int) -> int:
        """Return how many of the portions come one after the other, where so many lanes are read side by side."""
        if self.streamed:
            return 0
        # Each segment is read by itself.
        shares = math.ceil(self.size / self.segments / _LANE_SHARE)
        side_by_side = min(lanes, shares // _LANE_PORTIONS)
        if side_by_side < 2:  # noqa: PLR2004 - one lane is none
            return self.portions
        return self.segments * math.ceil(shares / side_by_side)


def discovery_calls(instances: int, listed: int, groups: int = 0) -> Requests:
    """Return what a pass over an estate asks of RDS.

    Args:
        instances: That there are, each of a cluster of its own at most.
        listed: Whose turn it is, and some of whose files moved.
        groups: Of parameters, whose answers are older than an hour by then.
    """
    pages = math.ceil(instances / _INSTANCES_AT_ONCE)
    return +Counter(
        {
            "rds.DescribeEvents": 1,
            "rds.DescribeDBInstances": pages,
            "rds.DescribeDBClusters": pages,
            "rds.DescribeDBLogFiles": listed,
            "rds.DescribeDBParameters": groups,
        }
    )


def discovery_requests(calls: Requests, moved: int) -> Requests:
    """Return what a pass over an estate asks of AWS beside RDS, where nothing is new but files that moved.

    Args:
        calls: That it makes to RDS.
        moved: Files.
    """
    listed = calls["rds.DescribeDBLogFiles"]
    # Answers that are kept: listings, groups, and the two lists of the fleet, whatever their pages.
    kept = listed + calls["rds.DescribeDBParameters"] + 2
    return Counter(
        {
            # turns and facts of the estate, and what is remembered of each instance's files
            "dynamodb.Query": 2 + listed,
            # what was heard, and answers that may have been kept
            "dynamodb.GetItem": 1 + kept,
            "dynamodb.PutItem": 1 + kept + _budget_changes(calls, _TOKENS_OF_A_PASS),
            # turns, and the states of files that are queued
            "dynamodb.BatchWriteItem": listed + moved,
            # how far files are stored
            "dynamodb.BatchGetItem": moved,
            "sqs.SendMessageBatch": math.ceil(moved / _QUEUED_AT_ONCE),
        }
    )


def task_seconds(task: Task, lanes: int, *, answer: float, bytes_per_second: float) -> float:
    """Return how long a task waits for RDS: for the form of markers, and for portions or the complete file.

    Args:
        task: The task.
        lanes: Portions that are under way at once.
        answer: Seconds until an answer begins.
        bytes_per_second: That come in an answer from then on, however many are under way.
    """
    if task.streamed:
        return answer + task.size / bytes_per_second
    portion = answer + min(PORTION_BYTES, task.size) / bytes_per_second
    return answer + task.rounds(lanes) * portion


def task_calls(task: Task) -> Requests:
    """Return what a task asks of RDS: the form of markers, and the bytes."""
    return +Counter(
        {
            "rds.DownloadDBLogFilePortion": task.portions + _PORTIONS_BESIDE * (not task.streamed),
            "rds.DownloadCompleteDBLogFile": int(task.streamed),
        }
    )


def task_requests(task: Task) -> Requests:
    """Return what a task asks of AWS beside RDS and the budget: lease, and each range planned, stored, told.

    The fleet is asked for once a minute, whatever tasks there are.
    """
    return Counter(
        {
            # the facts of the instance
            "dynamodb.GetItem": 1,
            # the lease and its end; of each range the plan, and the job when it is planned and when it is told
            "dynamodb.UpdateItem": 2 + 3 * task.segments,
            # as many writes as are charged
            "dynamodb.TransactWriteItems": _COMMIT_UNITS * task.segments,
            # the state of the file that is dealt with
            "dynamodb.PutItem": 1,
            "s3.PutObject": task.segments,
            "sqs.SendMessage": task.segments,
        }
    )


def task_write_units(task: Task) -> int:
    """Return the write units of a task in DynamoDB, with its share of the budget's changes."""
    requests = task_requests(task)
    single = requests["dynamodb.UpdateItem"] + requests["dynamodb.PutItem"]
    return single + requests["dynamodb.TransactWriteItems"] + _budget_changes(task_calls(task), _TOKENS_AT_ONCE)


def _budget_changes(calls: Requests, at_once: int) -> int:
    # The first is refused, as others have changed the budget meanwhile, and made again.
    return 1 + math.ceil(calls.total() / at_once)


def parse_requests(files: int, *, hours: int = 1, searched: bool = True) -> Requests:
    """Return what a segment asks of AWS when it is parsed for the first time.

    Args:
        files: Of the lake that it becomes: records, and mostly a part of the day's digest.
        hours: Of its records, each an entry of the index.
        searched: Whether search is told.
    """
    return +Counter(
        {
            # the manifest, which is not there, and the raw segment
            "s3.GetObject": 2,
            # the manifest before its files and after them
            "s3.PutObject": files + hours + 2,
            "sqs.SendMessage": int(searched),
        }
    )


def queue_requests(messages: int, *, batched: bool, batch_size: int) -> int:
    """Return requests to a queue for messages: sent one by one or by tens, received and deleted in batches."""
    sent = math.ceil(messages / _QUEUED_AT_ONCE) if batched else messages
    return sent + 2 * math.ceil(messages / batch_size)
