"""Documents of replays in the lake bucket: the plan, its lists of segments, and which lists were queued."""

from typing import TYPE_CHECKING, ClassVar

from database_logs.contracts import LogReplayPlan, RestoreProgress, RestoreTask, SegmentCommitted, SegmentsChecked
from database_logs.errors import ReplayPageMissing
from database_logs.locations import checked_key, progress_of_key, queued_key, replay_key
from kernel.objects import Bucket

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_s3 import S3Client
    from pydantic import BaseModel

_JSON = "application/json"


def _plan_key(replay_id: str) -> str:
    return replay_key(replay_id, "plan.json")


class ReplayPageReader:
    """Reads lists of replays."""

    # Without s3:ListBucket a missing key answers 403 instead of 404.
    IAM: ClassVar = frozenset({"s3:GetObject", "s3:ListBucket", "kms:Decrypt"})

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def read(self, page: str) -> list[SegmentCommitted]:
        """Return a list.

        Raises:
            ReplayPageMissing: It is not there.
        """
        return [SegmentCommitted.model_validate_json(line) for line in self._lines(page)]

    def plan(self, replay_id: str) -> LogReplayPlan | None:
        """Return a plan, if there is one."""
        body = self._bucket.get(_plan_key(replay_id))
        return None if body is None else LogReplayPlan.model_validate_json(body)

    def progress(self, page: str) -> RestoreProgress:
        """Return how far a list was restored by the calls before this one."""
        body = self._bucket.get(progress_of_key(page))
        return RestoreProgress() if body is None else RestoreProgress.model_validate_json(body)

    def checked(self, page: str) -> SegmentsChecked | None:
        """Return what became of a list, once nothing of it is open."""
        body = self._bucket.get(checked_key(page))
        return None if body is None else SegmentsChecked.model_validate_json(body)

    def _lines(self, key: str) -> list[bytes]:
        body = self._bucket.get(key)
        if body is None:
            raise ReplayPageMissing(
                f"There is no list s3://{self._bucket.name}/{key}: the replay was not planned, or its documents have "
                "expired. Plan it anew under another name."
            )
        return body.splitlines()


class ReplayPages(ReplayPageReader):
    """Reads and writes the documents of replays."""

    IAM: ClassVar = ReplayPageReader.IAM | {"s3:PutObject", "kms:GenerateDataKey"}

    def write_plan(self, plan: LogReplayPlan) -> None:
        """Write the plan."""
        self._bucket.put(_plan_key(plan.replay_id), plan.model_dump_json().encode(), _JSON)

    def write_lines(self, key: str, lines: "Sequence[BaseModel]") -> None:
        """Write a list."""
        self._bucket.put(key, b"".join(each.model_dump_json().encode() + b"\n" for each in lines), _JSON)

    def read_restores(self, key: str) -> list[RestoreTask]:
        """Return a list of what is to be restored.

        Raises:
            ReplayPageMissing: It is not there.
        """
        return [RestoreTask.model_validate_json(line) for line in self._lines(key)]

    def write_progress(self, page: str, progress: RestoreProgress) -> None:
        """Note how far a list is restored."""
        self._bucket.put(progress_of_key(page), progress.model_dump_json().encode(), _JSON)

    def write_checked(self, page: str, checked: SegmentsChecked) -> None:
        """Note what became of a list."""
        self._bucket.put(checked_key(page), checked.model_dump_json().encode(), _JSON)

    def is_queued(self, page: str) -> bool:
        """Return whether a list was queued as a whole."""
        return self._bucket.get(queued_key(page)) is not None

    def mark_queued(self, page: str) -> None:
        """Mark a list as queued."""
        self._bucket.put(queued_key(page), b"{}", _JSON)
