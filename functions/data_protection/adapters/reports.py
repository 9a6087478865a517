"""Findings of a run and of those before it, and the reports that are made of them."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from data_protection.contracts import ConflictRow, ExceptionRow, FindingRow
from data_protection.findings import lines
from data_protection.locations import SCORE, conflicts_key, exceptions_key, findings_key, findings_prefix
from data_protection.reports.report import Look, PastScore, comparable
from data_protection.resources import Place
from data_protection.verdicts import Status
from kernel.contracts import Contract
from kernel.objects import Bucket

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

# Runs in the trend: this one, and two months of daily ones.
_SCORES: Final = 61
# Of the connections that a client of boto3 keeps, 10.
_THREADS: Final = 8
_SUFFIX: Final = ".jsonl.gz"

C = TypeVar("C", bound=Contract)


class ReportStore:
    """Reads what assessments found and writes reports.

    Args:
        s3: Client.
        bucket: The lake.
        dynamodb: Client.
        table: Of findings and scores.
    """

    IAM: ClassVar = frozenset(
        {
            "s3:GetObject",
            "s3:ListBucket",
            "s3:PutObject",
            "kms:Decrypt",
            "kms:GenerateDataKey",
            "dynamodb:Query",
        }
    )

    def __init__(self, s3: "S3Client", bucket: str, dynamodb: "DynamoDBClient", table: str) -> None:
        self._bucket = Bucket(s3, bucket)
        self._dynamodb = dynamodb
        self._table = table

    def looks(self, run: str, time: datetime) -> Sequence[Look]:
        """Return what a run found, a place each, with the scores and findings of the runs before it."""
        prefix = findings_prefix(run, time.date())
        names = [key.removeprefix(prefix).removesuffix(_SUFFIX) for key, _ in self._bucket.keys(prefix)]
        pairs = (name.partition("-") for name in names)
        places = [Place(account, region) for account, _, region in pairs]
        with ThreadPoolExecutor(_THREADS) as threads:
            return list(threads.map(lambda place: self._look(run, time, place), places))

    def write(self, key: str, content: bytes, media_type: str) -> None:
        """Write a file of a report, whatever was there."""
        self._bucket.put(key, content, media_type)

    def _look(self, run: str, time: datetime, place: Place) -> Look:
        rows = self._rows(findings_key(run, time.date(), place), FindingRow) or []
        scores = self._scores(place, run, time)
        # A place in which nothing is in scope has no findings that name it.
        profile = rows[0].profile if rows else next((one.profile for one in scores if one.run == run), "")
        past = [one for one in scores if one.run != run]
        former = next(iter(comparable(past, profile)), None)
        return Look(
            account=place.account,
            region=place.region,
            profile=profile,
            rows=rows,
            conflicts=self._rows(conflicts_key(run, time.date(), place), ConflictRow) or [],
            exceptions=self._rows(exceptions_key(run, time.date(), place), ExceptionRow) or [],
            past=past,
            former=self._rows(findings_key(former.run, former.time.date(), place), FindingRow) if former else None,
        )

    def _rows(self, key: str, row: type[C]) -> list[C] | None:
        body = self._bucket.get(key)
        return None if body is None else [row.model_validate_json(line) for line in lines(body)]

    def _scores(self, place: Place, run: str, time: datetime) -> list[PastScore]:
        """Return the score of a place in a run and those before, the latest first."""
        answer = self._dynamodb.query(
            TableName=self._table,
            KeyConditionExpression="place = :place AND entry BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":place": {"S": str(place)},
                ":first": {"S": SCORE},
                ":last": {"S": f"{SCORE}{time.isoformat()}#{run}"},
            },
            ScanIndexForward=False,
            Limit=_SCORES,
            ConsistentRead=True,
        )
        return [_past_score(item) for item in answer["Items"]]


def _past_score(item: Mapping[str, Any]) -> PastScore:
    time, run = item["entry"]["S"].removeprefix(SCORE).split("#", 1)
    return PastScore(
        run=run,
        time=datetime.fromisoformat(time),
        # Without, it was kept by a release that did not compare profiles.
        profile=item.get("profile", {"S": ""})["S"],
        counts={Status(name): int(count["N"]) for name, count in item["counts"]["M"].items()},
    )
