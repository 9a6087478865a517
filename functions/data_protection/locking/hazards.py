"""What a lock would break beside what it is for: who writes, deletes, copies or delivers there."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any

from data_protection.buckets import words
from data_protection.locking.facts import Facts
from data_protection.policies import Statement, statements
from kernel.contracts import Contract

# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-config-deliverychannel.html
_CONFIG = "config.amazonaws.com"
_LOGGING = "logging.s3.amazonaws.com"


class Gravity(StrEnum):
    """Of a hazard."""

    FORBIDS = "forbids"  # the bucket must not be locked
    BREAKS = "breaks"  # something would fail, unless it is changed before
    MAY_BREAK = "may_break"  # somebody must look


class Hazard(Contract):
    """Something that would go wrong.

    Attributes:
        title: What it is about, in a few words.
        gravity: Of it.
        sentence: What happens, and what to do about it.
    """

    title: str
    gravity: Gravity
    sentence: str


def hazards(facts: Facts) -> list[Hazard]:
    """Return what would go wrong in a bucket, the gravest first.

    All but where it names another page by
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html
    """
    found = [*_logs(facts), *_deliveries(facts), *_replication(facts), *_people(facts), *_key(facts), _writers()]
    return sorted(found, key=lambda hazard: list(Gravity).index(hazard.gravity))


def _logs(facts: Facts) -> Iterator[Hazard]:
    if facts.logged_from:
        yield Hazard(
            title="Access logs",
            gravity=Gravity.FORBIDS,
            sentence=f"{words(list(facts.logged_from))} would log here no more: a bucket with Object Lock receives no "
            "access logs, and AWS says so to nobody. Let them log to another bucket first.",
        )
    if facts.unread:
        yield Hazard(
            title="Access logs that nobody can see",
            gravity=Gravity.MAY_BREAK,
            sentence=f"Where {words(list(facts.unread[:5]))}{' and others' if facts.unread[5:] else ''} "
            "send their access logs could not be read. If it is here, they would arrive no more.",
        )


def _deliveries(facts: Facts) -> Iterator[Hazard]:
    services = {
        who for one in statements(facts.policy) if one.allows for who in (one.principals or {}).get("Service", ())
    }
    if _CONFIG in services:
        yield Hazard(
            title="AWS Config",
            gravity=Gravity.BREAKS,
            sentence="The bucket's policy lets AWS Config deliver here, which does not deliver to a bucket with Object "
            "Lock. Give its delivery channel another bucket first.",
        )
    if _LOGGING in services and not facts.logged_from:
        yield Hazard(
            title="Access logs of other accounts",
            gravity=Gravity.MAY_BREAK,
            sentence="The bucket's policy lets S3 deliver access logs here. None of the account's buckets sends any; "
            "those of another account would arrive no more.",
        )


def _replication(facts: Facts) -> Iterator[Hazard]:
    rules = [
        rule for rule in (facts.replication or {}).get("ReplicationConfiguration", {}).get("Rules", ())
        if rule.get("Status") == "Enabled"
    ]  # fmt: skip
    if rules:
        targets = sorted({_bucket(rule) for rule in rules})
        role = facts.replication["ReplicationConfiguration"].get("Role", "its role") if facts.replication else ""
        yield Hazard(
            title="Replication",
            gravity=Gravity.BREAKS,
            sentence=f"Versions are replicated to {words(targets)}, which must have Object Lock as well, and {role} "
            "needs s3:GetObjectRetention and s3:GetObjectLegalHold here, or replication fails. What was replicated "
            "before is not locked there by this job.",
        )


def _bucket(rule: dict[str, Any]) -> str:
    return str(rule["Destination"]["Bucket"]).rpartition(":")[2]


def _people(facts: Facts) -> Iterator[Hazard]:
    allowed = [one for one in statements(facts.policy) if one.allows]
    if deleters := _who(one for one in allowed if one.names("s3:DeleteObjectVersion") or one.names("s3:DeleteObject")):
        yield Hazard(
            title="Who deletes",
            gravity=Gravity.MAY_BREAK,
            sentence=f"{words(deleters)} may delete here by the bucket's policy. Deleting a version fails from now on; "
            "deleting an object only hides it, and what is stored grows.",
        )
    if writers := _who(one for one in allowed if one.names("s3:PutObject")):
        yield Hazard(
            title="Who writes",
            gravity=Gravity.MAY_BREAK,
            sentence=f"{words(writers)} may write here by the bucket's policy. Each must send a checksum with what it "
            "writes, as said below.",
        )


def _who(given: Iterable[Statement]) -> list[str]:
    found = {who for one in given for names in (one.principals or {}).values() for who in names}
    return sorted("everybody" if who == "*" else who for who in found)


def _key(facts: Facts) -> Iterator[Hazard]:
    for rule in (facts.encryption or {}).get("ServerSideEncryptionConfiguration", {}).get("Rules", ()):
        if key := rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID"):
            yield Hazard(
                title="Encryption key",
                gravity=Gravity.MAY_BREAK,
                sentence=f"Object Lock does not protect the key {key}: without it, what cannot be deleted cannot be "
                "read either. Deny its deletion to those from whom the objects are protected.",
            )


def _writers() -> Hazard:
    return Hazard(
        title="Writes without a checksum",
        gravity=Gravity.MAY_BREAK,
        sentence="A bucket with a default retention refuses uploads without Content-MD5 or another checksum. AWS' own "
        "tools send one; old SDKs, appliances and presigned URLs may not. Whoever overwrites an object often "
        "pays for each version until its retention ends.",
    )
