"""What data_protection asks of AWS for a place, which is an account in a region. Pure.

Each formula follows the code of the function that it is named after; `tests/handlers/test_protection_scale.py` holds it
against what the functions send. Requests are by service and operation, as `kernel.metering` counts them.
"""

import math
from collections import Counter
from typing import Final

# What a sweep's look at the trails asks, and its look at everything asks again.
ASKED_TWICE: Final = frozenset(
    {
        "cloudtrail.DescribeTrails",
        "cloudtrail.GetTrailStatus",
        "dynamodb.ListTables",
        "resource-groups-tagging-api.GetResources",
        "s3.ListBuckets",
    }
)
_LOOKS_OF_A_SWEEP: Final = 2
# The standings of findings, and the drifts that are open.
_QUERIES_OF_A_LOOK: Final = 2
_QUERIED_BYTES: Final = 1 << 20
_UNIT_BYTES: Final = 4096
_KEYS_OF_A_LIST: Final = 1000
# Of a place, in the trend of a report.
_SCORES_OF_A_REPORT: Final = 61
# Six of the report, and the history.
_FILES_OF_A_REPORT: Final = 7

Requests = Counter[str]


def sweep_reads(assessment: Requests) -> Requests:
    """Return what a sweep asks of the account that is looked at.

    Args:
        assessment: What an assessment asks of it.
    """
    return assessment + Counter({name: number for name, number in assessment.items() if name in ASKED_TWICE})


def assess_requests(findings_bytes: int = 0, changed: int = 0) -> Requests:
    """Return what AssessPlace asks beside: estate, profile and a look for findings; findings, conflicts, exceptions.

    Args:
        findings_bytes: Of the place in the table.
        changed: Findings that stand otherwise than before.
    """
    return Counter(
        {
            "s3.GetObject": 3,
            "s3.PutObject": 3,
            "dynamodb.Query": 2 * _pages(findings_bytes),
            # and the score
            "dynamodb.BatchWriteItem": changed + 1,
        }
    )


def places_requests() -> Requests:
    """Return what ListPlaces and StartSweep ask, but for the messages: the estate."""
    return Counter({"s3.GetObject": 1})


def report_requests(places: int) -> Requests:
    """Return what ReportAssessment asks where each place was assessed before.

    Of a place these are its scores, and from the lake its findings, conflicts, exceptions and the findings before.
    """
    return Counter(
        {
            "s3.ListObjectsV2": max(1, math.ceil(places / _KEYS_OF_A_LIST)),
            "s3.GetObject": 4 * places,
            "s3.PutObject": _FILES_OF_A_REPORT,
            "dynamodb.Query": places,
        }
    )


def report_read_units(places: int, score_bytes: int) -> int:
    """Return the read units of a report in DynamoDB: the scores of each place, consistent."""
    return places * _units(_SCORES_OF_A_REPORT * score_bytes)


def sweep_requests(findings_bytes: int = 0) -> Requests:
    """Return what SweepDrift asks beside where nothing changed: estate and profile, and how things stood."""
    pages = _pages(findings_bytes)
    return Counter({"s3.GetObject": 2, "dynamodb.Query": _LOOKS_OF_A_SWEEP * (_QUERIES_OF_A_LOOK - 1 + pages)})


def sweep_read_units(findings_bytes: int) -> int:
    """Return the read units of a sweep in DynamoDB: both queries of both looks, consistent."""
    return _LOOKS_OF_A_SWEEP * (_units(findings_bytes) + 1)


def assess_read_units(findings_bytes: int) -> int:
    """Return the read units of an assessment in DynamoDB."""
    return 2 * _units(findings_bytes)


def sweep_messages(places: int) -> int:
    """Return the requests to the queue of a sweep of all places: each is sent, received and deleted by itself."""
    return 3 * places


def _pages(size: int) -> int:
    return max(1, math.ceil(size / _QUERIED_BYTES))


def _units(size: int) -> int:
    return max(1, math.ceil(size / _UNIT_BYTES))
