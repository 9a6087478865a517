"""S3-LOG: who accessed what in a bucket is logged, and the logs arrive."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from data_protection import bucket_policies
from data_protection.access_logs import AccessLogging, require_no_later_logs
from data_protection.bucket_policies import document, lets_logs_in, log_grant, policy_of, put_statement
from data_protection.buckets import bucket_call
from data_protection.changes import CannotChange, Change, Reversibility
from data_protection.checks.check import Case, Check, Made, Mutator, Severity
from data_protection.readings import Read
from data_protection.reads.s3 import (
    ENCRYPTION,
    LOGGING,
    LOGS_WITHIN,
    OBJECT_LOCK,
    POLICY,
    RECENT_LOGS,
    access_log,
)
from data_protection.resources import Kind, Place, Resource
from data_protection.times import moment
from data_protection.verdicts import Status, Verdict, worst


def _names(place: Place, asked: AccessLogging) -> Iterable[tuple[Resource, Read]]:
    for read in (POLICY, OBJECT_LOCK, ENCRYPTION):
        yield Resource(Kind.BUCKET, place, asked.target), read


def _target(case: Case[AccessLogging]) -> Resource:
    return Resource(Kind.BUCKET, case.resource.place, case.requirement.target)


def _validate(case: Case[AccessLogging]) -> Verdict:
    if case.resource.name == case.requirement.target:
        return Verdict(
            Status.NOT_APPLICABLE,
            "It receives the access logs itself: each log that arrived in it would be logged again, without end.",
        )
    logging = case.get(LOGGING).get("LoggingEnabled")
    expected = {"target": case.requirement.target, "prefix": case.requirement.prefix_of(case.resource)}
    if logging is None:
        return Verdict(Status.FAIL, "Accesses are not logged.", {"target": None}, expected)
    observed = {"target": logging["TargetBucket"], "prefix": logging["TargetPrefix"]}
    if observed["target"] != expected["target"]:
        reason = f"Logs go to {observed['target']}, {expected['target']} is asked."
        return Verdict(Status.FAIL, reason, observed, expected)
    if observed["prefix"] != expected["prefix"]:
        reason = f"Logs have the prefix {observed['prefix']!r}, {expected['prefix']!r} is asked."
        return Verdict(Status.WARN, reason, observed, expected)
    return worst(
        lambda: _of_lock(case, observed, expected),
        lambda: _of_encryption(case, observed, expected),
        lambda: _of_grant(case, observed, expected),
        lambda: _of_delivery(case, logging, expected),
    )


def _of_lock(case: Case[AccessLogging], observed: dict[str, Any], expected: dict[str, Any]) -> Verdict:
    if _is_locked(case):
        reason = f"{case.requirement.target} has Object Lock: S3 takes the setting, but logs do not arrive in it."
        return Verdict(Status.WARN, reason, {**observed, "target_is_locked": True}, expected)
    return Verdict(Status.PASS, "The target has no Object Lock.", observed, expected)


def _of_encryption(case: Case[AccessLogging], observed: dict[str, Any], expected: dict[str, Any]) -> Verdict:
    if algorithm := _kms_algorithm(case):
        reason = f"{case.requirement.target} encrypts by {algorithm}: logs arrive only in buckets with SSE-S3."
        return Verdict(Status.WARN, reason, {**observed, "target_encryption": algorithm}, expected)
    return Verdict(Status.PASS, "The target encrypts by SSE-S3.", observed, expected)


def _of_grant(case: Case[AccessLogging], observed: dict[str, Any], expected: dict[str, Any]) -> Verdict:
    target = _target(case)
    if not lets_logs_in(document(case.find(POLICY, target)), case.resource, target, expected["prefix"]):
        reason = (
            f"The policy of {target.name} does not let S3 deliver the logs of this account's bucket, and no others."
        )
        return Verdict(Status.WARN, reason, {**observed, "grant": False}, expected)
    return Verdict(Status.PASS, "The target's policy lets logs in.", observed, expected)


def _of_delivery(case: Case[AccessLogging], logging: Mapping[str, Any], expected: dict[str, Any]) -> Verdict:
    log = _log(case, logging)
    keys = re.compile(re.sub(r"\\\[[A-Za-z]+\\\]", r"[0-9]+", re.escape(log.name.partition("/")[2])))
    newest = max(
        (
            moment(item["LastModified"])
            for item in case.get(RECENT_LOGS, log).get("Contents", ())
            if keys.match(item["Key"])
        ),
        default=None,
    )
    hours = round(LOGS_WITHIN.total_seconds() / 3600)
    if newest is None or case.now - newest > LOGS_WITHIN:
        return Verdict(
            Status.WARN,
            f"Logging is set, but no log arrived in the last {hours} hours; the first may take some.",
            {"newest_log": None},
            expected,
        )
    observed = {"newest_log": newest.isoformat()}
    if sharing := _sharing(case, logging):
        return Verdict(
            Status.WARN,
            f"Logs arrive, but those of {sharing[0].name} have the same prefix, and keys do not tell whose they are: "
            "give each bucket a prefix, as {bucket}/.",
            {**observed, "prefix_shared_with": [one.name for one in sharing]},
            expected,
        )
    return Verdict(Status.PASS, f"Logs arrive; one did at {newest.isoformat()}.", observed, expected)


def _sharing(case: Case[AccessLogging], logging: Mapping[str, Any]) -> Sequence[Resource]:
    """Return the other buckets whose logs are to have the same keys, in order: by the profile, not their settings."""
    log = access_log(case.resource, logging)
    return sorted(
        other
        for other, requirements in case.scope.needs.items()
        for asked in requirements.values()
        if isinstance(asked, AccessLogging) and other not in {case.resource, _target(case)}
        if access_log(other, {**logging, "TargetBucket": asked.target, "TargetPrefix": asked.prefix_of(other)}) == log
    )


def _log(case: Case[AccessLogging], logging: Mapping[str, Any]) -> Resource:
    source = case.resource
    if "PartitionedPrefix" in logging.get("TargetObjectKeyFormat", {}):  # which names the bucket's own region
        source = replace(source, place=case.snapshot.where(source))
    return replace(access_log(source, logging), place=case.resource.place)


def _is_locked(case: Case[AccessLogging]) -> bool:
    answer = case.get(OBJECT_LOCK, _target(case))
    return bool(answer.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled")


def _kms_algorithm(case: Case[AccessLogging]) -> str | None:
    """Return the algorithm by which the target encrypts with a key of KMS, or None."""
    answer = case.find(ENCRYPTION, _target(case))
    if answer is None:
        return None  # every bucket has SSE-S3 at least
    rules = answer["ServerSideEncryptionConfiguration"]["Rules"]
    algorithms = (rule.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm", "") for rule in rules)
    return next((name for name in algorithms if name.startswith("aws:kms")), None)


def _propose(case: Case[AccessLogging]) -> Sequence[Change]:
    bucket, wanted = case.resource, case.requirement
    target, prefix = _target(case), wanted.prefix_of(bucket)
    if target == bucket:
        raise CannotChange(f"{bucket.name} cannot log into itself: name another target, or leave it out.")
    if _is_locked(case) or _kms_algorithm(case):
        raise CannotChange(
            f"Logs would not arrive in {target.name}: it has Object Lock or encrypts with a key of KMS. "
            "Name a target without either."
        )
    here, there = (case.snapshot.where(one).region for one in (bucket, target))
    if here != there:
        raise CannotChange(
            f"{bucket.name} is in {here} and {target.name} in {there}: S3 delivers access logs only within a region. "
            f"Name a target in {here}."
        )
    changes: list[Change] = []
    policy = document(case.find(POLICY, target))
    if not lets_logs_in(policy, bucket, target, prefix):
        changes.append(
            put_statement(
                target,
                policy,
                log_grant(target),
                check="S3-LOG",
                title=f"Let S3 deliver access logs into {target.name}",
                risk="",
            )
        )
    present = case.get(LOGGING).get("LoggingEnabled")
    # Grants by ACL would be refused by a target whose owner is enforced, and the policy replaces them.
    kept = {name: value for name, value in (present or {}).items() if name != "TargetGrants"}
    after = {**kept, "TargetBucket": target.name, "TargetPrefix": prefix}
    if after != kept:
        changes.append(
            Change(
                check="S3-LOG",
                title=f"Log accesses to {bucket.name} into {target.name}",
                call=bucket_call(bucket, "put_bucket_logging", BucketLoggingStatus={"LoggingEnabled": after}),
                inverse=bucket_call(
                    bucket, "put_bucket_logging", BucketLoggingStatus={"LoggingEnabled": present} if present else {}
                ),
                reversibility=Reversibility.REVERSIBLE,
                before=present,
                after=after,
                risk=""
                if present is None
                else f"Logs no longer go to {present['TargetBucket']}/{present['TargetPrefix']}.",
                cost="Delivery is free; the logs are paid as objects.",
            )
        )
    return changes


def _may_undo(case: Case[AccessLogging], made: Made) -> None:
    change = made.change
    if change.call.operation != "put_bucket_policy":
        return
    target = _target(case)
    if target.arn != change.target:
        raise CannotChange(
            f"The profile has {case.resource.name} log into {target.name} by now, and the policy of {change.target} "
            "was changed: bring that back by hand."
        )
    before = None if change.before is None else json.dumps(change.before)

    def rests(source: Resource, logging: Mapping[str, Any]) -> bool:
        return not (made.leaves(source, logging) or lets_logs_in(before, source, target, logging["TargetPrefix"]))

    require_no_later_logs(case, target.name, rests)


def _present(case: Case[AccessLogging], change: Change) -> Any:
    if change.call.operation == "put_bucket_policy":
        target = _target(case)
        return policy_of(case.find(POLICY, target)) if target.arn == change.target else {"target": target.arn}
    return case.get(LOGGING).get("LoggingEnabled")


CHECK: Final = Check(
    id="S3-LOG",
    title="Accesses are logged, and the logs arrive",
    why="After an incident, access logs say who read, wrote or deleted which object.",
    severity=Severity.MEDIUM,
    kind=Kind.BUCKET,
    requirement=AccessLogging,
    reads=(LOGGING,),
    further=(POLICY, OBJECT_LOCK, ENCRYPTION, RECENT_LOGS),
    names=_names,
    validate=_validate,
    cost="Delivery is free; the logs are paid as objects, so give the target a lifecycle.",
    advice="Name a bucket of the same account and region that has neither Object Lock nor SSE-KMS as the target.",
    controls={
        "AWS FSBP": ("S3.9",),
        "NIST 800-53 r5": (
            "AC-2(4)",
            "AC-4(26)",
            "AC-6(9)",
            "AU-10",
            "AU-12",
            "AU-2",
            "AU-3",
            "AU-6(3)",
            "AU-6(4)",
            "CA-7",
            "SC-7(9)",
            "SI-3(8)",
            "SI-4(20)",
            "SI-7(8)",
        ),
        "PCI DSS 4.0.1": ("10.2.1",),
        "NIST 800-171 r2": ("3.3.8",),
    },
    mutator=Mutator(
        phase=1,
        reversibility=Reversibility.REVERSIBLE,
        operations=bucket_policies.OPERATIONS | {"s3:put_bucket_logging"},
        actions=bucket_policies.ACTIONS | {"s3:PutBucketLogging"},
        propose=_propose,
        present=_present,
        may_undo=_may_undo,
        undoing_reads=(LOGGING,),  # where others log tells whether the grant of the target may go
    ),
)
