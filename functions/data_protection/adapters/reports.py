"""Findings of a run and of those before it, and the reports that are made of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from data_protection.contracts import ConflictRow, Contract, FindingRow
from data_protection.findings import lines
from data_protection.locations import SCORE, conflicts_key, findings_key, findings_prefix
from data_protection.reports.report import Look, PastScore
from data_protection.resources import Place
from data_protection.verdicts import Status
from kernel.objects import Bucket

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

# Runs in the trend, beside this one: two months of daily ones.
_PAST: Final = 60
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
        return [self._look(run, time, Place(account, region)) for account, _, region in pairs]

    def write(self, key: str, content: bytes, media_type: str) -> None:
        """Write a file of a report, whatever was there."""
        self._bucket.put(key, content, media_type)

    def _look(self, run: str, time: datetime, place: Place) -> Look:
        past = self._past(place, time)
        former = self._rows(findings_key(past[0].run, past[0].time.date(), place), FindingRow) if past else None
        return Look(
            account=place.account,
            region=place.region,
            rows=self._rows(findings_key(run, time.date(), place), FindingRow) or [],
            conflicts=self._rows(conflicts_key(run, time.date(), place), ConflictRow) or [],
            past=past,
            former=former,
        )

    def _rows(self, key: str, row: type[C]) -> list[C] | None:
        body = self._bucket.get(key)
        return None if body is None else [row.model_validate_json(line) for line in lines(body)]

    def _past(self, place: Place, time: datetime) -> list[PastScore]:
        """Return the scores of a place before a time, the latest first."""
        answer = self._dynamodb.query(
            TableName=self._table,
            KeyConditionExpression="place = :place AND entry BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":place": {"S": str(place)},
                ":first": {"S": SCORE},
                # An entry of this time has its run behind it, so it sorts after.
                ":last": {"S": f"{SCORE}{time.isoformat()}"},
            },
            ScanIndexForward=False,
            Limit=_PAST,
            ConsistentRead=True,
        )
        return [_past_score(item["entry"]["S"], item["counts"]["M"]) for item in answer["Items"]]


def _past_score(entry: str, counts: Mapping[str, Any]) -> PastScore:
    time, run = entry.removeprefix(SCORE).split("#", 1)
    return PastScore(
        run, datetime.fromisoformat(time), {Status(name): int(count["N"]) for name, count in counts.items()}
    )
