"""What holds for every check of buckets: what could not be read is unknown, what is missing fails."""

import pytest
from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from data_protection.checks.catalogue import catalogue
from data_protection.readings import Missing, Read, Unreadable
from data_protection.reads.s3 import ACCOUNT_PUBLIC_ACCESS, LOGGING, PUBLIC_ACCESS, VERSIONING
from data_protection.resources import Resource
from data_protection.verdicts import Status
from tests.support.data_protection_buckets import (
    ASKED,
    SITE,
    Readings,
    bare,
    changes,
    healthy,
    reads_of,
    verdict,
)

CHECKS = sorted(ASKED)
# What a lock changes has a test of its own, and what an archive takes is for people to decide.
FIXED = sorted(set(CHECKS) - {"S3-LOCK", "S3-RTO"})

# Reads that are only needed to correct.
_ASIDE = {("S3-LOCK", VERSIONING), ("S3-LOCK", LOGGING), ("S3-KMS", LOGGING), ("S3-LIFECYCLE", VERSIONING)}
_NEEDED = [(check, *one) for check in CHECKS for one in reads_of(check) if (check, one[1]) not in _ASIDE]


def test_every_check_of_buckets_is_tested_here() -> None:
    assert [check for check in catalogue() if check.startswith("S3-")] == CHECKS


@pytest.mark.parametrize("check", CHECKS)
def test_bucket_that_has_what_is_asked_passes(check: str) -> None:
    found = verdict(check, healthy())
    assert found.status is Status.PASS, found.reason


@pytest.mark.parametrize("check", CHECKS)
def test_bucket_that_was_never_configured_fails(check: str) -> None:
    found = verdict(check, bare())
    assert found.status is Status.FAIL, found.reason
    assert "MISSING" not in found.reason


@pytest.mark.parametrize("check", CHECKS)
def test_bucket_that_does_not_exist_fails_as_missing(check: str) -> None:
    readings: Readings = {
        one: Missing("NoSuchBucket") if one[0] == SITE else reading for one, reading in healthy().items()
    }
    found = verdict(check, readings)
    assert (found.status, found.reason) == (Status.FAIL, "MISSING: s3-bucket/site does not exist.")


@pytest.mark.parametrize(("check", "resource", "read"), _NEEDED, ids=str)
def test_read_that_is_denied_leaves_the_check_unknown(check: str, resource: Resource, read: Read) -> None:
    found = verdict(check, healthy() | {(resource, read): Unreadable("AccessDenied", "no")})
    assert found.status is Status.UNKNOWN
    assert found.observed == {"error": "AccessDenied"}
    assert read.name in found.reason


@pytest.mark.parametrize("check", CHECKS)
def test_read_that_is_denied_touches_no_check_that_does_not_make_it(check: str) -> None:
    needed = set(reads_of(check))
    readings: Readings = {
        one: reading if one in needed else Unreadable("AccessDenied", "no") for one, reading in healthy().items()
    }
    assert verdict(check, readings) == verdict(check, healthy())


@pytest.mark.parametrize("check", CHECKS)
def test_answer_of_an_unknown_form_leaves_the_check_unknown(check: str) -> None:
    strange = {
        "Policy": "no JSON",
        "LoggingEnabled": {"Elsewhere": 1},
        "Rules": [{"Status": "Enabled"}],
        "ServerSideEncryptionConfiguration": {},
        "IntelligentTieringConfigurationList": [{"Name": 1}],
        "PublicAccessBlockConfiguration": 1,
        "ObjectLockConfiguration": 1,
    }
    readings: Readings = {one: strange if one[0] == SITE else reading for one, reading in healthy().items()}
    if check == "S3-VERSION":
        readings[SITE, VERSIONING] = {"Status": 1}
    found = verdict(check, readings)
    assert found.status is Status.UNKNOWN, found.reason


@pytest.mark.parametrize("check", FIXED)
def test_changes_are_calls_that_the_mutator_declares_and_the_api_has(check: str) -> None:
    mutator = catalogue()[check].mutator
    assert mutator is not None
    proposed = changes(check, bare())
    assert proposed
    _assert_sound(check, proposed)


def test_change_of_a_lock_is_a_call_that_the_mutator_declares_and_the_api_has() -> None:
    proposed = changes("S3-LOCK", bare() | {(SITE, VERSIONING): {"Status": "Enabled"}})
    assert len(proposed) == 1
    _assert_sound("S3-LOCK", proposed)


@pytest.mark.parametrize("check", FIXED)
def test_bucket_that_has_what_is_asked_is_not_changed(check: str) -> None:
    assert changes(check, healthy()) == []


def test_denied_account_matters_only_where_the_bucket_does_not_block_by_itself() -> None:
    denied = Unreadable("AccessDenied", "no")
    readings = healthy()
    account = next(resource for resource, read in readings if read is ACCOUNT_PUBLIC_ACCESS)
    readings[account, ACCOUNT_PUBLIC_ACCESS] = denied
    assert verdict("S3-BPA", readings).status is Status.PASS
    readings[SITE, PUBLIC_ACCESS] = {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True}}
    assert verdict("S3-BPA", readings).status is Status.UNKNOWN


_MODEL = ServiceModel(Loader().load_service_model("s3", "service-2"), "s3")
_OPERATIONS = {xform_name(name): _MODEL.operation_model(name) for name in _MODEL.operation_names}


def _assert_sound(check: str, proposed: object) -> None:
    mutator = catalogue()[check].mutator
    assert mutator is not None
    assert isinstance(proposed, list)
    for change in proposed:
        assert change.check == check
        for call in (change.call, change.inverse):
            if call is None:
                continue
            assert f"{call.service}:{call.operation}" in mutator.operations
            assert call.parameters["ExpectedBucketOwner"] == SITE.place.account
            shape = _OPERATIONS[call.operation].input_shape
            assert shape is not None
            report = ParamValidator().validate(call.parameters, shape)
            assert not report.has_errors(), report.generate_report()
