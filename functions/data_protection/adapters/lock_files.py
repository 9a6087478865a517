"""Files of locks in the lake: listings, shards, simulations, reports."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, Final, TypeVar

from pydantic import BaseModel

from data_protection.errors import PlanMissing
from data_protection.locations import simulation_key
from data_protection.locking.simulation import Simulation
from data_protection.locking.versions import Version, as_lines, versions_of
from kernel.contracts import Contract
from kernel.errors import EffectConflict
from kernel.objects import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_JSON: Final = "application/json"
_LINES: Final = "application/x-ndjson"

M = TypeVar("M", bound=BaseModel)


class LockFiles:
    """Reads and writes files of locks.

    Args:
        s3: Client of the deployment's own account.
        bucket: The lake.
    """

    IAM: ClassVar = frozenset({"s3:GetObject", "s3:ListBucket", "s3:PutObject", "kms:Decrypt", "kms:GenerateDataKey"})

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def find(self, key: str, model: type[M]) -> tuple[M | None, str | None]:
        """Return a document and the tag by which `replace` knows it; None twice where there is none."""
        found = self._bucket.find(key)
        return (None, None) if found is None else (model.model_validate_json(found[0]), found[1])

    def get(self, key: str, model: type[M]) -> M:
        """Return a document that must be there.

        Raises:
            PlanMissing: It is not.
        """
        body = self._bucket.get(key)
        if body is None:
            raise PlanMissing(f"s3://{self._bucket.name}/{key} is not there, which the step before has written.")
        return model.model_validate_json(body)

    def replace(self, key: str, document: BaseModel, tag: str | None) -> str:
        """Write a document in the place of the one that was read, and return its tag.

        Raises:
            EffectConflict: Another worker wrote one in the meantime; what it did is gone on with.
        """
        written = self._bucket.replace(key, document.model_dump_json().encode(), _JSON, tag)
        if written is None:
            raise EffectConflict(f"Two workers write s3://{self._bucket.name}/{key}; the other one goes on.")
        return written

    def write(self, key: str, body: bytes, media_type: str = _JSON) -> None:
        """Write a file, whatever was there."""
        self._bucket.put(key, body, media_type)

    def write_lines(self, key: str, documents: Iterable[Contract]) -> None:
        """Write documents as gzipped JSON lines, whatever was there."""
        self._bucket.put(key, as_lines(documents), _LINES)

    def write_lines_once(self, key: str, documents: Iterable[Contract]) -> None:
        """Write documents as gzipped JSON lines.

        Raises:
            EffectConflict: The key holds others.
        """
        self._bucket.put_once(key, as_lines(documents), _LINES)

    def versions(self, key: str) -> Sequence[Version]:
        """Return the versions of a shard."""
        return versions_of(self._required(key))

    def lines(self, key: str) -> bytes | None:
        """Return gzipped JSON lines, or None where there are none."""
        return self._bucket.get(key)

    def keep_simulation(self, simulation: Simulation) -> None:
        """Write a simulation by its hash."""
        self._bucket.put_once(simulation_key(simulation.hash), simulation.model_dump_json().encode(), _JSON)

    def simulation(self, known_as: str) -> Simulation:
        """Return a simulation.

        Raises:
            PlanMissing: There is none of that hash, or what is kept under it has another one.
        """
        body = self._bucket.get(simulation_key(known_as))
        if body is None:
            raise PlanMissing(f"There is no simulation {known_as}: simulate the lock first.")
        simulation = Simulation.model_validate_json(body)
        if simulation.hash != known_as:
            raise PlanMissing(f"What is kept as simulation {known_as} was changed: it has the hash {simulation.hash}.")
        return simulation

    def _required(self, key: str) -> bytes:
        body = self._bucket.get(key)
        if body is None:
            raise PlanMissing(f"s3://{self._bucket.name}/{key} is not there, which the step before has written.")
        return body
