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
# Seven items of a range in transactions, each of them written twice.
_RANGE_UNITS: Final = 2 * 7
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


def task_calls(task: Task) -> Requests:
    """Return what a task asks of RDS: the form of markers, and the bytes."""
    return +Counter(
        {
            "rds.DownloadDBLogFilePortion": task.portions + _PORTIONS_BESIDE * (not task.streamed),
            "rds.DownloadCompleteDBLogFile": int(task.streamed),
        }
    )


def task_requests(task: Task) -> Requests:
    """Return what a task asks of AWS beside RDS and the budget: lease, and each range planned, stored, told."""
    return Counter(
        {
            # the facts of the instance
            "dynamodb.GetItem": 1,
            # the lease and its end
            "dynamodb.UpdateItem": 2,
            # plan, commit, announced: as many writes as are charged
            "dynamodb.TransactWriteItems": _RANGE_UNITS * task.segments,
            # the state of the file that is dealt with
            "dynamodb.PutItem": 1,
            "s3.PutObject": task.segments,
            "sqs.SendMessage": task.segments,
            "ssm.GetParameter": 1,
        }
    )


def task_write_units(task: Task) -> int:
    """Return the write units of a task in DynamoDB, with its share of the budget's changes."""
    requests = task_requests(task)
    single = requests["dynamodb.UpdateItem"] + requests["dynamodb.PutItem"]
    budget = math.ceil(task_calls(task).total() / _TOKENS_AT_ONCE)
    return single + requests["dynamodb.TransactWriteItems"] + budget


def parse_requests(files: int, *, searched: bool = True) -> Requests:
    """Return what a segment asks of AWS when it is parsed.

    Args:
        files: Of the lake that it becomes: records, and mostly a part of the day's digest.
        searched: Whether search is told.
    """
    return +Counter(
        {
            # the manifest at first and before each change, and the raw segment
            "s3.GetObject": 4,
            # the manifest before its files and after them
            "s3.PutObject": files + 2,
            "sqs.SendMessage": int(searched),
        }
    )


def queue_requests(messages: int, *, batched: bool, batch_size: int) -> int:
    """Return requests to a queue for messages: sent one by one or by tens, received and deleted in batches."""
    sent = math.ceil(messages / _QUEUED_AT_ONCE) if batched else messages
    return sent + 2 * math.ceil(messages / batch_size)
