"""Findings: those of each run in the lake bucket, how each stands in the table."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from data_protection.assessments import Score
from data_protection.contracts import AssessPlace, ConflictRow, ExceptionRow, FindingRow
from data_protection.findings import Standing, best_of, document, lines, standing_after
from data_protection.locations import SCORE, conflicts_key, exceptions_key, findings_key
from data_protection.resources import Place
from data_protection.verdicts import Status
from kernel.objects import Bucket

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

_BATCH: Final = 25  # BatchWriteItem's limit
_FINDING: Final = "finding#"


class FindingStore:
    """Keeps findings.

    The document of a run is written once and is the truth about it; the table follows it, and may be written again.
    """

    IAM: ClassVar = frozenset(
        {
            "s3:GetObject",
            "s3:ListBucket",
            "s3:PutObject",
            "kms:Decrypt",
            "kms:GenerateDataKey",
            "dynamodb:BatchWriteItem",
            "dynamodb:Query",
        }
    )

    def __init__(self, s3: "S3Client", bucket: str, dynamodb: "DynamoDBClient", table: str) -> None:
        self._bucket = Bucket(s3, bucket)
        self._dynamodb = dynamodb
        self._table = table

    def find(self, run: str, day: date, place: Place) -> list[FindingRow] | None:
        """Return the findings of a run about a place, or None where it has none yet."""
        body = self._bucket.get(findings_key(run, day, place))
        if body is None:
            return None
        return [FindingRow.model_validate_json(line) for line in lines(body)]

    def write(self, run: str, day: date, place: Place, rows: Iterable[FindingRow]) -> None:
        """Write the findings of a run about a place.

        Raises:
            EffectConflict: Another attempt of the run wrote its own in the meantime; find them.
        """
        self._bucket.put_once(findings_key(run, day, place), document(rows), "application/x-ndjson")

    def write_conflicts(self, run: str, day: date, place: Place, rows: Iterable[ConflictRow]) -> None:
        """Write the conflicts of a run about a place; of two attempts at once, those of the later one stay."""
        self._bucket.put(conflicts_key(run, day, place), document(rows), "application/x-ndjson")

    def write_exceptions(self, run: str, day: date, place: Place, rows: Iterable[ExceptionRow]) -> None:
        """Write the exceptions of the profile that a run met in a place; as conflicts are written."""
        self._bucket.put(exceptions_key(run, day, place), document(rows), "application/x-ndjson")

    def standings(self, place: Place) -> dict[tuple[str, str], Standing]:
        """Return how the findings of a place stood at the last look, by their pairs."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="place = :place AND begins_with(entry, :finding)",
            ExpressionAttributeValues={":place": {"S": str(place)}, ":finding": {"S": _FINDING}},
            ConsistentRead=True,
        )
        return {(item["check"]["S"], item["arn"]["S"]): _standing(item) for page in pages for item in page["Items"]}

    def keep(self, asked: AssessPlace, rows: Sequence[FindingRow], score: Score, *, profile: str, expires: int) -> None:
        """Let the table follow the findings of a run: what changed, what is gone, and the score.

        Args:
            asked: Which run and place.
            rows: All findings of the run about the place.
            score: Of them.
            profile: Name of the one by which they came.
            expires: When the score's item goes, in seconds since 1970.
        """
        place = asked.place.place
        self.follow(place, rows, self.standings(place), whole=True)
        self._write([{"PutRequest": {"Item": _score_item(asked, score, profile, expires)}}])

    def follow(
        self,
        place: Place,
        rows: Sequence[FindingRow],
        standings: Mapping[tuple[str, str], Standing],
        *,
        whole: bool,
        counting: Mapping[tuple[str, str], Standing] | None = None,
    ) -> None:
        """Let the table follow a look, but for what another look has seen since.

        Args:
            place: That was looked at.
            rows: What was found.
            standings: How it stands in the table.
            whole: Whether the look was at everything in scope, so that what it did not find is gone.
            counting: How it counts as having stood; None for as it stands in the table.
        """
        requests: list[dict[str, Any]] = []
        for row in rows:
            before = standings.get(row.pair)
            after = standing_after(row, before if counting is None else counting.get(row.pair))
            if after != before and (before is None or before.since <= row.time):
                requests.append({"PutRequest": {"Item": _item(place, row, after)}})
        if whole:
            gone = standings.keys() - {row.pair for row in rows}
            requests += [{"DeleteRequest": {"Key": _key(place, check, arn)}} for check, arn in sorted(gone)]
        self._write(requests)

    def _write(self, requests: Sequence[Mapping[str, Any]]) -> None:
        for start in range(0, len(requests), _BATCH):
            left: Any = {self._table: list(requests[start : start + _BATCH])}
            while left:
                left = self._dynamodb.batch_write_item(RequestItems=left).get("UnprocessedItems")


class Expectations:
    """Keeps of findings that they are about to get worse, as a plan undoes what they rest on."""

    IAM: ClassVar = frozenset({"dynamodb:UpdateItem"})

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def keep(self, place: Place, rows: Iterable[FindingRow], until: datetime) -> None:
        """Let the table expect that findings get worse until a time: how they stand then is no drift.

        What any look has kept of them stays, be it since they were read.

        Args:
            place: Where.
            rows: How they were seen right before; kept where no look has kept anything.
            until: That time.
        """
        for row in rows:
            seen = _seen(row)
            kept = ", ".join(f"#{name} = if_not_exists(#{name}, :{name})" for name in seen)
            self._dynamodb.update_item(
                TableName=self._table,
                Key=_key(place, *row.pair),
                UpdateExpression=f"SET undone_until = :until, {kept}",
                ExpressionAttributeNames={f"#{name}": name for name in seen},
                ExpressionAttributeValues={
                    ":until": {"S": until.isoformat()},
                    **{f":{name}": value for name, value in seen.items()},
                },
            )


def _key(place: Place, check: str, arn: str) -> dict[str, Any]:
    return {"place": {"S": str(place)}, "entry": {"S": f"{_FINDING}{check}#{arn}"}}


def _item(place: Place, row: FindingRow, standing: Standing) -> dict[str, Any]:
    return {
        **_key(place, *row.pair),
        **_seen(row),
        **({} if standing.best is None else {"best": {"S": standing.best.value}}),
        **({} if standing.undone_until is None else {"undone_until": {"S": standing.undone_until.isoformat()}}),
    }


def _seen(row: FindingRow) -> dict[str, Any]:
    return {
        "check": {"S": row.check},
        "arn": {"S": row.pair[1]},
        "status": {"S": row.status.value},
        "since": {"S": row.since.isoformat()},
        "reason": {"S": row.reason},
        "run": {"S": row.run},
    }


def _standing(item: Mapping[str, Any]) -> Standing:
    status, since = Status(item["status"]["S"]), datetime.fromisoformat(item["since"]["S"])
    best = Status(item["best"]["S"]) if "best" in item else best_of(status, None)
    until = datetime.fromisoformat(item["undone_until"]["S"]) if "undone_until" in item else None
    return Standing(status, since, best, until, look=item["run"]["S"] if "run" in item else "")


def _score_item(asked: AssessPlace, score: Score, profile: str, expires: int) -> dict[str, Any]:
    return {
        "place": {"S": str(asked.place.place)},
        "entry": {"S": f"{SCORE}{asked.time.isoformat()}#{asked.run}"},
        "profile": {"S": profile},
        "coverage": {"N": str(score.coverage)},
        "counts": {"M": {status.value: {"N": str(count)} for status, count in score.counts.items()}},
        "expires": {"N": str(expires)},
        **({} if score.percent is None else {"percent": {"N": str(score.percent)}}),
    }
