"""S3-TLS: a bucket answers only over TLS."""

from collections.abc import Sequence
from typing import Any, Final

from data_protection import bucket_policies
from data_protection.bucket_policies import document, policy_of, put_statement, refuses_plain_http, tls_denial
from data_protection.changes import Change, Reversibility
from data_protection.checks.check import Case, Check, Mutator, Requirement, Severity
from data_protection.reads.s3 import POLICY
from data_protection.resources import Kind
from data_protection.verdicts import Status, Verdict


class TransportSecurity(Requirement):
    """What is asked of transport: that the bucket's policy denies every call without TLS, to everybody."""


def _validate(case: Case[TransportSecurity]) -> Verdict:
    policy = document(case.find(POLICY))
    expected = tls_denial(case.resource)
    if policy is None:
        return Verdict(Status.FAIL, "The bucket has no policy, so it answers without TLS.", None, expected)
    if refuses_plain_http(policy, case.resource):
        return Verdict(Status.PASS, "The policy denies every call without TLS.", policy, expected)
    return Verdict(Status.FAIL, "The policy lets calls without TLS pass.", policy, expected)


def _propose(case: Case[TransportSecurity]) -> Sequence[Change]:
    bucket, policy = case.resource, document(case.find(POLICY))
    if refuses_plain_http(policy, bucket):
        return []
    return [
        put_statement(
            bucket,
            policy,
            tls_denial(bucket),
            check="S3-TLS",
            title=f"Deny calls to {bucket.name} without TLS",
            risk="Clients that still call over plain HTTP are refused.",
        )
    ]


def _present(case: Case[TransportSecurity], _: Change) -> Any:
    return policy_of(case.find(POLICY))


CHECK: Final = Check(
    id="S3-TLS",
    title="Only TLS is answered",
    why="What travels without TLS can be read and altered on the way, credentials of signed links included.",
    severity=Severity.MEDIUM,
    kind=Kind.BUCKET,
    requirement=TransportSecurity,
    reads=(POLICY,),
    validate=_validate,
    cost="Nothing.",
    advice="Add a statement to the bucket's policy that denies everything where aws:SecureTransport is false.",
    controls={"AWS FSBP": ("S3.5",), "CIS AWS 5.0": ("2.1.1",)},
    mutator=Mutator(
        phase=2,  # not 1, in which the policies of log targets change: a plan changes each policy once
        reversibility=Reversibility.REVERSIBLE,
        operations=bucket_policies.OPERATIONS,
        actions=bucket_policies.ACTIONS,
        propose=_propose,
        present=_present,
    ),
)
