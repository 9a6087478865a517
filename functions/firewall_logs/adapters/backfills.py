"""The documents of backfills, in the runs bucket."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, Final

from pydantic import BaseModel

from firewall_logs import locations
from firewall_logs.adapters.documents import JSON, READ, WRITE, Document, read_document
from firewall_logs.backfills.contracts import BackfillInput, BackfillPlan, Order, Pause, Planning, Progress
from firewall_logs.contracts import SourceObject
from kernel.objects import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LINES: Final = "application/x-ndjson"


class Backfills:
    """Reads and writes what a backfill was asked for, what it plans, and how far it is."""

    IAM: ClassVar = READ | WRITE

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def request(self, backfill_id: str) -> BackfillInput | None:
        """Return what the backfill was asked for."""
        return self._read(backfill_id, "request.json", BackfillInput)

    def keep_request(self, backfill_id: str, request: BackfillInput) -> None:
        """Write what the backfill is asked for.

        Raises:
            EffectConflict: A backfill of this name was asked for something else.
        """
        key = locations.backfill_key(backfill_id, "request.json")
        self._bucket.put_once(key, _body(request), JSON)

    def order(self, backfill_id: str) -> Order | None:
        """Return who works on it."""
        return self._read(backfill_id, "order.json", Order)

    def give_order(self, backfill_id: str, order: Order) -> None:
        """Say who works on it from now on."""
        self._write(backfill_id, "order.json", order)

    def pause(self, backfill_id: str) -> Pause | None:
        """Return whom somebody asked to pause."""
        return self._read(backfill_id, "pause.json", Pause)

    def ask_to_pause(self, backfill_id: str, execution: str) -> None:
        """Ask an execution to end at its next wave."""
        self._write(backfill_id, "pause.json", Pause(execution=execution))

    def planning(self, backfill_id: str) -> Planning:
        """Return how far the listing has come."""
        return self._read(backfill_id, "planning.json", Planning) or Planning()

    def keep_planning(self, backfill_id: str, planning: Planning) -> None:
        """Note how far the listing has come, after the waves that it names are written."""
        self._write(backfill_id, "planning.json", planning)

    def plan(self, backfill_id: str) -> BackfillPlan | None:
        """Return the plan; None while there is none."""
        return self._read(backfill_id, "plan.json", BackfillPlan)

    def keep_plan(self, plan: BackfillPlan) -> None:
        """Write the plan."""
        self._write(plan.backfill_id, "plan.json", plan)

    def progress(self, backfill_id: str) -> Progress | None:
        """Return how far the waves are; None before the first."""
        return self._read(backfill_id, "progress.json", Progress)

    def keep_progress(self, backfill_id: str, progress: Progress) -> None:
        """Note how far the waves are."""
        self._write(backfill_id, "progress.json", progress)

    def wave(self, backfill_id: str, wave: int) -> list[SourceObject]:
        """Return the objects of a wave."""
        body = self._bucket.get(_wave_key(backfill_id, wave)) or b""
        return [SourceObject.model_validate_json(line) for line in body.splitlines()]

    def keep_wave(self, backfill_id: str, wave: int, objects: Iterable[SourceObject]) -> None:
        """Write the objects of a wave."""
        self._bucket.put(_wave_key(backfill_id, wave), _lines(objects), _LINES)

    def _read(self, backfill_id: str, name: str, model: type[Document]) -> Document | None:
        return read_document(self._bucket, locations.backfill_key(backfill_id, name), model)

    def _write(self, backfill_id: str, name: str, document: BaseModel) -> None:
        self._bucket.put(locations.backfill_key(backfill_id, name), _body(document), JSON)


def _wave_key(backfill_id: str, wave: int) -> str:
    return locations.backfill_key(backfill_id, f"waves/{wave:05d}.jsonl")


def _body(document: BaseModel) -> bytes:
    return document.model_dump_json(indent=1, exclude_none=True).encode()


def _lines(documents: Iterable[BaseModel]) -> bytes:
    return b"".join(document.model_dump_json(exclude_none=True).encode() + b"\n" for document in documents)
