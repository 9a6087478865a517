"""Requirements that exclude each other are told with both their ids."""

from dataclasses import replace
from typing import Any

import pytest

from data_protection.assessments import cases
from data_protection.checks.check import Requirement
from data_protection.conflicts.catalogue import catalogue
from data_protection.profiles import Profile
from data_protection.readings import Unreadable
from data_protection.reads.s3 import VERSIONING
from data_protection.resources import Kind, account_of
from data_protection.snapshot import Snapshot
from tests.support.data_protection_buckets import NOW, PLACE, SITE, Readings, all_cases, healthy

_LOG_INTO_SITE = {"other": {"S3-LOG": {"target": "site"}}}
_AUDIO = ((90, "STANDARD_IA"), (365, "GLACIER"), (1095, "DEEP_ARCHIVE"))
_KEEP: dict[str, Any] = {"mode": "COMPLIANCE", "days": 400}


def _tier(*steps: tuple[int, str], **more: Any) -> dict[str, Any]:
    transitions = [{"days": days, "storage_class": storage_class} for days, storage_class in steps]
    return {"tiers": [{"transitions": transitions, **more}]}


def _saving(*steps: tuple[int, str], **more: Any) -> dict[str, Any]:
    return _tier(*steps, saves_percent=40, **more)


def _found(conflict: str, site: dict[str, Any], *, readings: Readings | None = None, **others: Any) -> list[str]:
    detected = catalogue()[conflict].detect(all_cases(readings or healthy(), {"site": site, **others}))
    return [f"{resource.name}: {sentence}" for resource, sentence in detected]


@pytest.mark.parametrize(
    ("conflict", "site", "others", "says"),
    [
        ("LOG-TARGET-LOCK", {"S3-LOCK": {"days": 1}}, _LOG_INTO_SITE, "access logs of other"),
        ("LOG-TARGET-KMS", {"S3-KMS": {}}, _LOG_INTO_SITE, "SSE-S3"),
        ("LOG-TARGET-LOGGING", {"S3-LOG": {"target": "site"}}, {}, "into itself"),
        ("RTO-ARCHIVE", {"S3-LIFECYCLE": _tier((365, "GLACIER"), rto_hours=1)}, {}, "within 1 h"),
        (
            "VERSION-EXPIRATION",
            {"S3-VERSION": {"noncurrent_days": None}, "S3-LIFECYCLE": _tier(expire_days=9)},
            {},
            "9 days",
        ),
        ("LOCK-ERASURE", {"S3-LOCK": _KEEP, "S3-LIFECYCLE": _tier(expire_days=399)}, {}, "retained for 400 days"),
        ("NONCURRENT-LOCK", {"S3-LOCK": _KEEP, "S3-VERSION": {}}, {}, "locked for 400 days"),
        ("ARCHIVED-LOGS", {"S3-LIFECYCLE": _tier((90, "GLACIER"), prefix="app/logs/")}, {}, "after 90 days"),
        # Of objects that are kept seven years: by hand, audio of 128 KB saves 38 %, and S3 moves nothing below it.
        ("SAVING-SIZE", {"S3-LIFECYCLE": _saving(*_AUDIO)}, {}, "smaller than 133 KB"),
        ("SAVING-SIZE", {"S3-LIFECYCLE": _saving((90, "GLACIER"))}, {}, "smaller than 128 KB"),
        ("SAVING-SIZE", {"S3-LIFECYCLE": _saving(*_AUDIO, larger_than_bytes=1000)}, {}, "smaller than 133 KB"),
        ("SAVING-SIZE", {"S3-LIFECYCLE": _saving((365, "STANDARD_IA"), expire_days=400)}, {}, "save 4 % even"),
        ("ARCHIVED-LOGS", {"S3-LIFECYCLE": _tier((90, "GLACIER"))}, _LOG_INTO_SITE, "after 90 days"),
        (
            "TIERING-INFREQUENT",
            {"S3-INTTIER": {"prefix": "a/"}, "S3-LIFECYCLE": _tier((90, "STANDARD_IA"))},
            {},
            "no rule moves them",
        ),
    ],
)
def test_conflict_is_told_of_the_bucket(conflict: str, site: dict[str, Any], others: Any, says: str) -> None:
    (sentence,) = _found(conflict, site, **others)
    assert sentence.startswith("site: ")
    assert says in sentence


@pytest.mark.parametrize(
    ("conflict", "site", "others"),
    [
        ("LOG-TARGET-LOCK", {"S3-LOCK": {"days": 1}}, {}),
        ("LOG-TARGET-LOCK", {"S3-LOCK": {"days": 1}, "S3-LOG": {"target": "logs"}}, {}),
        ("LOG-TARGET-KMS", {"S3-KMS": {}}, {"other": {"S3-LOG": {"target": "logs"}}}),
        ("LOG-TARGET-LOGGING", {"S3-LOG": {"target": "logs"}}, {}),
        ("RTO-ARCHIVE", {"S3-LIFECYCLE": _tier((365, "GLACIER"))}, {}),
        ("RTO-ARCHIVE", {"S3-LIFECYCLE": _tier((365, "GLACIER_IR"), rto_hours=1)}, {}),
        ("RTO-ARCHIVE", {"S3-LIFECYCLE": _tier((365, "GLACIER"), rto_hours=5)}, {}),
        ("VERSION-EXPIRATION", {"S3-VERSION": {}, "S3-LIFECYCLE": _tier(expire_days=9)}, {}),
        ("VERSION-EXPIRATION", {"S3-VERSION": {"noncurrent_days": None}}, {}),
        ("LOCK-ERASURE", {"S3-LOCK": _KEEP, "S3-LIFECYCLE": _tier(expire_days=400)}, {}),
        ("LOCK-ERASURE", {"S3-LOCK": {"days": 400}, "S3-LIFECYCLE": _tier(expire_days=399)}, {}),
        ("NONCURRENT-LOCK", {"S3-LOCK": {"days": 90}, "S3-VERSION": {}}, {}),
        ("NONCURRENT-LOCK", {"S3-LOCK": _KEEP, "S3-VERSION": {"noncurrent_days": None}}, {}),
        ("ARCHIVED-LOGS", {"S3-LIFECYCLE": _tier((365, "GLACIER"), prefix="logs/")}, {}),
        ("SAVING-SIZE", {"S3-LIFECYCLE": _saving(expire_days=400)}, {}),
        ("SAVING-SIZE", {"S3-LIFECYCLE": _tier(*_AUDIO)}, {}),
        ("ARCHIVED-LOGS", {"S3-LIFECYCLE": _tier((90, "GLACIER"), prefix="blogs/")}, {}),
        (
            "TIERING-INFREQUENT",
            {"S3-INTTIER": {"prefix": "a/"}, "S3-LIFECYCLE": _tier((90, "STANDARD_IA"), prefix="b/")},
            {},
        ),
        ("TIERING-INFREQUENT", {"S3-INTTIER": {}, "S3-LIFECYCLE": _tier((90, "GLACIER"))}, {}),
    ],
)
def test_requirements_that_go_together_are_no_conflict(conflict: str, site: dict[str, Any], others: Any) -> None:
    assert _found(conflict, site, **others) == []


def test_mfa_delete_is_told_where_it_was_seen() -> None:
    asked = {"S3-LIFECYCLE": _tier(expire_days=9)}
    on = healthy() | {(SITE, VERSIONING): {"Status": "Enabled", "MFADelete": "Enabled"}}
    assert "site has MFA delete" in _found("MFA-DELETE", asked, readings=on)[0]
    assert _found("MFA-DELETE", asked) == []
    denied = healthy() | {(SITE, VERSIONING): Unreadable("AccessDenied", "no")}
    assert _found("MFA-DELETE", asked, readings=denied) == []


@pytest.mark.parametrize(("minutes", "is_conflict"), [(5, True), (6, False), (None, False)])
def test_rpo_without_margin_is_told_where_one_is_stated(minutes: int | None, *, is_conflict: bool) -> None:
    rule = {"kind": Kind.TABLE, "select": [{"name": "orders"}], "requires": {"DDB-PITR": {"rpo_minutes": minutes}}}
    profile = Profile.model_validate({"name": "test", "rules": [rule]})
    every = [case for _, case in cases(Snapshot(PLACE, NOW, {}), profile, NOW)]
    found = [resource.name for resource, _ in catalogue()["RPO-PITR"].detect(every)]
    assert found == (["orders"] if is_conflict else [])


def test_data_events_of_a_log_bucket_are_told() -> None:
    without = all_cases(healthy(), {"site": {"S3-VERSION": {}}, **_LOG_INTO_SITE})
    assert list(catalogue()["LOGGED-LOGS"].detect(without)) == []
    scope = without[0].scope
    account = {account_of(PLACE): {"CT-DATA": Requirement()}}
    asked = [replace(case, scope=replace(scope, needs={**scope.needs, **account})) for case in without]
    assert [resource for resource, _ in catalogue()["LOGGED-LOGS"].detect(asked)] == [SITE]
