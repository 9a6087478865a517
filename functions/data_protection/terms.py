"""Terms that reports and the pages of checks use: one definition each, for the legends of both."""

from typing import Final

from data_protection.changes import Reversibility

# By the order in which a reader meets them.
TERMS: Final = {
    "profile": "What is asked: a YAML document with the resources in scope, what each must have, and exceptions.",
    "place": "An account in a region. What is global (buckets, roles) belongs to the first region of its account.",
    "kind": "What a check judges: a sort of resource, as `s3-bucket`. The kind `account` is what there is once in a "
    "place: its trails, alarms and backup plans as a whole.",
    "in scope": "The profile asks something of it: it is named there, and must exist, or it is selected.",
    "selected": "In scope by a pattern of names or by a tag, not by its name. What nothing matches is told by "
    "SCOPE-LISTED.",
    "target": "The bucket that receives the access logs of others.",
    "tier": "What is asked of the objects of a bucket below a prefix as they age: when they move to which storage "
    "class, and when they are deleted.",
    "severity": "How much a failed check endangers: critical, high, medium or low.",
    "phase": "The step of the standard in which `remediate_account` makes the change; see below.",
    "by hand": "Gatehouse makes no such change: people must.",
    "plan": "Every change of a remediation, before any is made: a document with a hash, by which it is approved. Not "
    "the backup plan of AWS Backup, which BK-PLAN is about.",
    "named": "Asked for by the id of its check in `named`: without that no plan holds a change that loses data or "
    "cannot be undone.",
    "class": "What undoing a change brings back, A to E; see below.",
    "exception": "Somebody answers for a failure on one resource, until a last day.",
    "score": "Passed of what passed, failed or warned. Coverage is what is known of all that should be.",
}

PHASES: Final = {
    1: "switches protection on; a profile may approve it beforehand",
    2: "changes how buckets keep objects; a profile may approve it beforehand",
    3: "changes what workloads notice; one person approves",
    4: "locks objects, which is for good; two people approve",
}

CLASSES: Final = {one.value: one.meaning for one in Reversibility}
