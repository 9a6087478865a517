"""Findings: those of each run in the lake bucket, how each stands in the table."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from data_protection.adapters.drifts import drift_key, end_item
from data_protection.assessments import Score
from data_protection.contracts import AssessPlace, ConflictRow, ExceptionRow, FindingRow
from data_protection.drift.drifts import OURS, Drift, DriftEnd, Ending, mended
from data_protection.findings import Standing, best_of, document, lines, plan_of, standing_after
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
        return {_pair(item): _standing(item) for item in self._items(place)}

    def _items(self, place: Place) -> Iterable[Mapping[str, Any]]:
        """Yield the findings of a place as the table has them."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="place = :place AND begins_with(entry, :finding)",
            ExpressionAttributeValues={":place": {"S": str(place)}, ":finding": {"S": _FINDING}},
            ConsistentRead=True,
        )
        return (item for page in pages for item in page["Items"])

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
    ) -> None:
        """Let the table follow a look, but for what another look has seen since.

        Args:
            place: That was looked at.
            rows: What was found.
            standings: How it stands in the table.
            whole: Whether the look was at everything in scope, so that what it did not find is gone.
        """
        requests: list[dict[str, Any]] = []
        for row in rows:
            before = standings.get(row.pair)
            after = standing_after(row, before)
            if after != before and (before is None or before.since <= row.time):
                requests.append({"PutRequest": {"Item": _item(place, row, after)}})
        if whole:
            gone = standings.keys() - {row.pair for row in rows}
            requests += [{"DeleteRequest": {"Key": _key(place, check, arn)}} for check, arn in sorted(gone)]
        self._write(requests)

    def expect(self, place: Place, rows: Iterable[FindingRow], until: datetime) -> None:
        """Let the table expect that what was found is undone until a time: how it stands then is no drift.

        Nor is it the drift any more that may still be open, as the next look would have told that it was mended.
        """
        requests: list[dict[str, Any]] = []
        for row in rows:
            expected = Standing(row.status, row.since, undone_until=until)
            requests += self._expectation(place, row.pair, _item(place, row, expected), row.run, row.time)
        self._write(requests)

    def expect_others(
        self, place: Place, pairs: Collection[tuple[str, str]], until: datetime, *, look: str, at: datetime
    ) -> None:
        """Let the table expect that what it holds gets worse until a time, though nobody has looked at it now.

        What it does not hold is left out, as nothing better than what is to come is known of it.

        Args:
            place: Where.
            pairs: What gets worse.
            until: By when.
            look: At what makes it worse.
            at: When that look was.
        """
        requests: list[dict[str, Any]] = []
        for item in self._items(place):
            if _pair(item) in pairs:
                expected = {**_without(item, "best"), "undone_until": {"S": until.isoformat()}}
                requests += self._expectation(place, _pair(item), expected, look, at)
        self._write(requests)

    def expect_no_more(self, place: Place, pairs: Collection[tuple[str, str]]) -> None:
        """Let the table take what it holds for what it was again, as what it rests on stays."""
        expected = [item for item in self._items(place) if _pair(item) in pairs and "undone_until" in item]
        self._write([{"PutRequest": {"Item": _without(item, "undone_until")}} for item in expected])

    def _expectation(
        self, place: Place, pair: tuple[str, str], item: Mapping[str, Any], look: str, at: datetime
    ) -> list[dict[str, Any]]:
        """Return what keeps that a finding is to get worse, and closes its drift, whose end is kept by now.

        That comes first, as nobody knows of a drift any more that is deleted.
        """
        self._keep_end(place, pair, look, at)
        return [{"PutRequest": {"Item": item}}, {"DeleteRequest": {"Key": drift_key(place, pair)}}]

    def _keep_end(self, place: Place, pair: tuple[str, str], look: str, at: datetime) -> None:
        """Keep how the drift of a pair ends, if one is open: mended before, or as a plan undoes what it rests on."""
        key = drift_key(place, pair)
        opened = self._dynamodb.query(
            TableName=self._table,
            KeyConditionExpression="place = :place AND entry = :entry",
            ExpressionAttributeValues={":place": key["place"], ":entry": key["entry"]},
            ConsistentRead=True,
        )
        for item in opened["Items"]:
            drift = Drift.model_validate_json(item["drift"]["S"])
            undone = DriftEnd(drift=drift, how=Ending.UNDONE, ended=at, by=OURS, plan=plan_of(look), look=look)
            known = self.standings(place).get(pair)
            end = mended(drift, known) if known is not None else None
            self._write([{"PutRequest": {"Item": end_item(end or undone)}}])

    def _write(self, requests: Sequence[Mapping[str, Any]]) -> None:
        for start in range(0, len(requests), _BATCH):
            left: Any = {self._table: list(requests[start : start + _BATCH])}
            while left:
                left = self._dynamodb.batch_write_item(RequestItems=left).get("UnprocessedItems")


def _pair(item: Mapping[str, Any]) -> tuple[str, str]:
    return item["check"]["S"], item["arn"]["S"]


def _without(item: Mapping[str, Any], attribute: str) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != attribute}


def _key(place: Place, check: str, arn: str) -> dict[str, Any]:
    return {"place": {"S": str(place)}, "entry": {"S": f"{_FINDING}{check}#{arn}"}}


def _item(place: Place, row: FindingRow, standing: Standing) -> dict[str, Any]:
    return {
        **_key(place, *row.pair),
        "check": {"S": row.check},
        "arn": {"S": row.pair[1]},
        "status": {"S": row.status.value},
        "since": {"S": row.since.isoformat()},
        "reason": {"S": row.reason},
        "run": {"S": row.run},
        **({} if standing.best is None else {"best": {"S": standing.best.value}}),
        **({} if standing.undone_until is None else {"undone_until": {"S": standing.undone_until.isoformat()}}),
    }


def _standing(item: Mapping[str, Any]) -> Standing:
    status, since = Status(item["status"]["S"]), datetime.fromisoformat(item["since"]["S"])
    look = item["run"]["S"] if "run" in item else ""
    if "undone_until" in item:
        return Standing(status, since, undone_until=datetime.fromisoformat(item["undone_until"]["S"]), look=look)
    best = Status(item["best"]["S"]) if "best" in item else best_of(status, None)
    return Standing(status, since, best, look=look)


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
