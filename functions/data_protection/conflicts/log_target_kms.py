"""A key of KMS for a bucket that receives access logs."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from data_protection.access_logs import sources
from data_protection.checks.check import Case
from data_protection.checks.s3_kms import KmsEncryption
from data_protection.conflicts.conflict import Conflict
from data_protection.resources import Resource


def _detect(cases: Sequence[Case[Any]]) -> Iterable[tuple[Resource, str]]:
    for case in cases:
        if isinstance(case.requirement, KmsEncryption) and (logged := sources(case)):
            sentence = (
                f"A key of KMS is asked of {case.resource.name}, which receives the access logs of {logged[0].name}: "
                "S3 delivers logs only into buckets that encrypt by SSE-S3."
            )
            yield case.resource, sentence


CONFLICT: Final = Conflict(
    id="LOG-TARGET-KMS",
    title="A bucket cannot encrypt by SSE-KMS and receive access logs",
    between=("S3-KMS", "S3-LOG"),
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
    ways_out="Encrypt log targets by SSE-S3, and let S3-LOG prove that logs arrive.",
    detect=_detect,
)
