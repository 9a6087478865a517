"""S3-BPA: nothing in a bucket can be public."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from data_protection.buckets import bucket_call, words
from data_protection.changes import Change, Reversibility
from data_protection.checks.check import Case, Check, Mutator, Requirement, Severity
from data_protection.reads.s3 import ACCOUNT_PUBLIC_ACCESS, PUBLIC_ACCESS
from data_protection.resources import Kind
from data_protection.verdicts import Status, Verdict

FLAGS: Final = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


class PublicAccessBlock(Requirement):
    """What is asked of the block of public access: all four of its flags, on the bucket or on the account."""


def _flags(answer: Mapping[str, Any]) -> dict[str, bool]:
    configuration = answer.get("PublicAccessBlockConfiguration", {})
    return {flag: bool(configuration.get(flag, False)) for flag in FLAGS}


def _validate(case: Case[PublicAccessBlock]) -> Verdict:
    expected = dict.fromkeys(FLAGS, True)
    flags = _flags(case.get(PUBLIC_ACCESS))
    if all(flags.values()):
        return Verdict(Status.PASS, "The bucket blocks public access.", flags, expected)
    # AWS applies the stricter of the two to each flag.
    both = {flag: flags[flag] or of_account for flag, of_account in _flags(case.get(ACCOUNT_PUBLIC_ACCESS)).items()}
    if all(both.values()):
        return Verdict(Status.PASS, "Bucket and account together block public access.", both, expected)
    off = [flag for flag in FLAGS if not both[flag]]
    return Verdict(Status.FAIL, f"Neither bucket nor account sets {words(off)}.", both, expected)


def _propose(case: Case[PublicAccessBlock]) -> Sequence[Change]:
    bucket, answer = case.resource, case.find(PUBLIC_ACCESS)
    before = None if answer is None else _flags(answer)
    after = dict.fromkeys(FLAGS, True)
    if before == after:
        return []
    put = "put_public_access_block"
    return [
        Change(
            check="S3-BPA",
            title=f"Block public access to {bucket.name}",
            call=bucket_call(bucket, put, PublicAccessBlockConfiguration=after),
            inverse=bucket_call(bucket, "delete_public_access_block")
            if before is None
            else bucket_call(bucket, put, PublicAccessBlockConfiguration=before),
            reversibility=Reversibility.REVERSIBLE,
            before=before,
            after=after,
            risk="What is public on purpose, as a website, can no longer be read by everybody.",
        )
    ]


def _present(case: Case[PublicAccessBlock], _: Change) -> Any:
    answer = case.find(PUBLIC_ACCESS)
    return None if answer is None else _flags(answer)


CHECK: Final = Check(
    id="S3-BPA",
    title="Public access is blocked",
    why="No policy or ACL, however it came about, can make objects readable for everybody.",
    severity=Severity.CRITICAL,
    kind=Kind.BUCKET,
    requirement=PublicAccessBlock,
    reads=(PUBLIC_ACCESS, ACCOUNT_PUBLIC_ACCESS),
    validate=_validate,
    cost="Nothing.",
    advice="Block all public access in the bucket's permissions; serve public content by CloudFront.",
    controls={"AWS FSBP": ("S3.8",), "CIS AWS 5.0": ("2.1.4",)},
    mutator=Mutator(
        phase=1,
        reversibility=Reversibility.REVERSIBLE,
        operations=frozenset({"s3:put_public_access_block", "s3:delete_public_access_block"}),
        actions=frozenset({"s3:PutBucketPublicAccessBlock"}),
        propose=_propose,
        present=_present,
    ),
)
