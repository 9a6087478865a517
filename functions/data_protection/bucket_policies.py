"""Bucket policies: whom they let in or keep out, and how to add a statement. AWS replaces one whole with each call."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from data_protection.buckets import bucket_call
from data_protection.changes import CannotChange, Change, Reversibility
from data_protection.policies import Statement, statements, with_statement
from data_protection.readings import Answer
from data_protection.resources import Resource

RawStatement: TypeAlias = Mapping[str, Any]  # as AWS has it

OPERATIONS: Final = frozenset({"s3:put_bucket_policy", "s3:delete_bucket_policy"})
ACTIONS: Final = frozenset({"s3:PutBucketPolicy", "s3:DeleteBucketPolicy"})

_MOST_BYTES: Final = 20 * 1024  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/add-bucket-policy.html
_DELIVERY: Final = "logging.s3.amazonaws.com"


def document(answer: Answer | None) -> str | None:
    """Return the policy of a bucket as S3 answers with it, as JSON text; None for a bucket without one."""
    return None if answer is None else str(answer["Policy"])


def policy_of(answer: Answer | None) -> Any:
    """Return the policy of a bucket as plain data; None for a bucket without one."""
    policy = document(answer)
    return None if policy is None else json.loads(policy)


def lets_logs_in(policy: str | None, source: Resource, target: Resource, prefix: str) -> bool:
    """Return whether a target's policy lets S3 deliver a bucket's logs below a prefix, and none of other accounts."""
    return any(
        one.allows
        and _DELIVERY in (one.principals or {}).get("Service", ())
        and one.names("s3:PutObject")
        and any(_spans(resource, f"{target.arn}/{prefix}") for resource in one.resources)
        and _names(one.conditions, source)
        for one in statements(policy)
    )


def log_grant(target: Resource) -> RawStatement:
    """Return the statement that lets S3 deliver the logs of all buckets of the account.

    It names none of them, so that it is the same whichever bucket is to be logged, and serves those to come.
    """
    return {
        "Sid": "GatehouseAccessLogs",
        "Effect": "Allow",
        "Principal": {"Service": _DELIVERY},
        "Action": "s3:PutObject",
        "Resource": f"{target.arn}/*",
        "Condition": {"StringEquals": {"aws:SourceAccount": target.place.account}},
    }


def refuses_plain_http(policy: str | None, bucket: Resource) -> bool:
    """Return whether a policy denies every call without TLS, of everybody, to the bucket and all its objects."""
    denied = [resource for one in statements(policy) if _denies_plain_http(one) for resource in one.resources]
    return all(any(_matches(resource, arn) for resource in denied) for arn in (bucket.arn, f"{bucket.arn}/*"))


def _denies_plain_http(one: Statement) -> bool:
    return (
        not one.allows
        and one.is_public
        and not {"s3:*", "*"}.isdisjoint(action.lower() for action in one.actions)
        and _is_about_plain_http(one.conditions)
    )


def tls_denial(bucket: Resource) -> RawStatement:
    """Return the statement that denies every call without TLS."""
    return {
        "Sid": "GatehouseTlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket.arn, f"{bucket.arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def put_statement(
    bucket: Resource,
    policy: str | None,
    statement: RawStatement,
    *,
    check: str,
    title: str,
    risk: str,
) -> Change:
    """Return the change that adds a statement to a bucket's policy, in place of the one of its id; all others stay.

    Raises:
        CannotChange: The policy would be longer than AWS takes.
    """
    merged = with_statement(policy, statement)
    if len(merged.encode()) > _MOST_BYTES:
        raise CannotChange(
            f"The policy of {bucket.name} would have {len(merged.encode())} bytes, AWS takes {_MOST_BYTES}. "
            "Shorten what is there, by joining statements."
        )
    return Change(
        check=check,
        title=title,
        call=bucket_call(bucket, "put_bucket_policy", Policy=merged),
        inverse=bucket_call(bucket, "delete_bucket_policy")
        if policy is None
        else bucket_call(bucket, "put_bucket_policy", Policy=policy),
        reversibility=Reversibility.REVERSIBLE,
        before=None if policy is None else json.loads(policy),
        after=json.loads(merged),
        risk=risk,
        target=bucket.arn,
    )


def _list(values: Any) -> list[str]:
    return [str(value) for value in (values if isinstance(values, list) else [values])]


def _matches(pattern: str, text: str) -> bool:
    """Return whether a pattern of IAM, with `*` and `?`, matches a text, or another pattern as a text."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text) is not None


def _spans(pattern: str, prefix: str) -> bool:
    """Return whether a pattern matches everything that begins by a prefix."""
    return pattern.endswith("*") and _matches(pattern, f"{prefix}*")


def _names(condition: Mapping[str, Mapping[str, Any]], source: Resource) -> bool:
    """Return whether a condition holds for what S3 delivers for a bucket, and asks for its account or its ARN."""
    terms = [(key.lower(), _list(values)) for tests in condition.values() for key, values in tests.items()]
    known = {"aws:sourcearn": source.arn, "aws:sourceaccount": source.place.account}
    return (
        bool(terms)
        and condition.keys() <= {"ArnLike", "ArnEquals", "StringLike", "StringEquals"}
        and all(key in known and any(_matches(value, known[key]) for value in values) for key, values in terms)
    )


def _is_about_plain_http(condition: Mapping[str, Mapping[str, Any]]) -> bool:
    """Return whether a condition holds for all calls without TLS: any further term would let some of them pass."""
    terms = [(test, key.lower(), _list(values)) for test, keys in condition.items() for key, values in keys.items()]
    if len(terms) != 1:
        return False
    test, key, values = terms[0]
    return (
        test in {"Bool", "BoolIfExists"}
        and key == "aws:securetransport"
        and [value.lower() for value in values] == ["false"]
    )
