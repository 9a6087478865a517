"""The standard's own contradictions come out of its profile."""

from pathlib import Path
from typing import Any

import data_protection.profiles_shipped as shipped
from data_protection.assessments import cases
from data_protection.conflicts.clashes import clashes
from data_protection.profiles import parse
from data_protection.reads.cloudtrail import TRAIL_STATUS
from data_protection.reads.s3 import LOGGING
from data_protection.resources import Kind, Resource, account_of
from data_protection.snapshot import Snapshot
from tests.support.data_protection_buckets import LOGS, NOW, PLACE, SITE, all_cases, healthy

_PROFILE = parse((Path(next(iter(shipped.__path__))) / "rfc-008.yaml").read_text())


def test_shipped_standard_contradicts_itself_about_archives_even_where_nothing_was_read() -> None:
    found = clashes([case for _, case in cases(Snapshot(PLACE, NOW, {}), _PROFILE, NOW)])
    assert {clash.conflict.id for clash in found} >= {"RPO-PITR", "RTO-ARCHIVE", "ARCHIVED-LOGS"}
    archived = [clash.resource for clash in found if clash.conflict.id == "RTO-ARCHIVE"]
    names = ("audio-123456789012", "logs-123456789012", "transcripts-123456789012")
    assert archived == [Resource(Kind.BUCKET, PLACE, name) for name in names]


def test_bucket_in_several_conflicts_is_told_of_each() -> None:
    asked: dict[str, dict[str, Any]] = {
        "other": {"S3-LOG": {"target": "site"}},
        "site": {"S3-KMS": {}, "S3-LOCK": {"days": 1}},
    }
    found = clashes(all_cases(healthy(), asked))
    assert [clash.conflict.id for clash in found if clash.resource == SITE] == ["LOG-TARGET-KMS", "LOG-TARGET-LOCK"]


def test_answer_of_an_unknown_form_takes_no_other_conflict_along() -> None:
    asked: dict[str, dict[str, Any]] = {"site": {"S3-LOCK": {"days": 9}, "S3-VERSION": {"noncurrent_days": 1}}}
    readings = healthy() | {(LOGS, LOGGING): {"LoggingEnabled": "yes"}}
    trail = Resource(Kind.TRAIL, PLACE, "main")

    found = clashes(all_cases(readings | {(trail, TRAIL_STATUS): {}}, asked))

    told = {clash.conflict.id: clash for clash in found}
    assert told["NONCURRENT-LOCK"].resource == SITE
    for conflict in ("LOG-TARGET-LOCK", "DRIFT-TRAIL"):
        assert told[conflict].resource == account_of(PLACE)
        assert "It cannot be told whether it is so" in told[conflict].sentence
