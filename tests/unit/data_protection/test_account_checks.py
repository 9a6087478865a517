"""What holds for every check but those of buckets: what could not be read is unknown, what is missing fails."""

from collections.abc import Iterator

import pytest

from data_protection.checks.catalogue import catalogue
from data_protection.checks.scope_listed import SCOPE_LISTED
from data_protection.readings import Missing, Read, Unreadable
from data_protection.reads import backup, cloudtrail, iam, kms, rds, scaling, secrets, tagging
from data_protection.resources import Kind, Resource, named
from data_protection.verdicts import Status
from tests.support.data_protection_account import verdict
from tests.support.data_protection_healthy import ALIAS, SCOPE, SUBJECTS, bare, healthy

CHECKS = sorted(SUBJECTS)
DENIED = Unreadable("AccessDeniedException", "not authorized")

# Reads that only a mutator needs, or only some answers.
ASIDE = {("BK-PLAN", read) for read in (backup.VAULTS, tagging.TAGS, kms.KEY)} | {
    ("CW-ALARMS", rds.INSTANCES),
    ("DDB-SCALE", scaling.SCHEDULED),
}


def reads_of(check: str) -> Iterator[tuple[Resource, Read]]:
    one, (subject, requirement) = catalogue()[check], SUBJECTS[check]
    for resource, read in healthy():
        is_first = read in one.reads and (resource == subject or resource.kind is Kind.ACCOUNT)
        # The alias is another name of the key, which only those need who are asked by it.
        is_named = resource in {subject, named(resource.kind, resource.place, requirement.get("key", ""))}
        is_further = read in one.further and read not in one.reads and (resource != ALIAS or is_named)
        if (is_first or is_further) and (check, read) not in ASIDE:
            yield resource, read


def _label(value: object) -> str:
    return value.name if isinstance(value, Read | Resource) else str(value)


# Reads whose answers have members that AWS leaves out where there is nothing to say.
SILENT = {secrets.SECRET, cloudtrail.EVENT_SELECTORS}

NEEDED = [(check, *one) for check in CHECKS for one in reads_of(check)]
SAYING = [one for one in NEEDED if one[2] not in SILENT]


def test_every_check_is_tested_here_or_as_one_of_buckets() -> None:
    assert [check for check in catalogue() if not check.startswith("S3-") and check != SCOPE_LISTED] == CHECKS


@pytest.mark.parametrize("check", CHECKS)
def test_what_has_all_that_is_asked_passes(check: str) -> None:
    subject, requirement = SUBJECTS[check]
    found = verdict(check, subject, healthy(), requirement, SCOPE)
    assert found.status is Status.PASS, found.reason


@pytest.mark.parametrize("check", CHECKS)
def test_what_was_never_configured_fails(check: str) -> None:
    subject, requirement = SUBJECTS[check]
    found = verdict(check, subject, bare(), requirement, SCOPE)
    assert found.status is Status.FAIL, found.reason
    assert "MISSING" not in found.reason


@pytest.mark.parametrize(("check", "resource", "read"), NEEDED, ids=_label)
def test_read_that_is_denied_leaves_the_check_unknown(check: str, resource: Resource, read: Read) -> None:
    subject, requirement = SUBJECTS[check]
    found = verdict(check, subject, healthy() | {(resource, read): DENIED}, requirement, SCOPE)
    assert found.status is Status.UNKNOWN, found.reason
    assert "AccessDenied" in found.reason


@pytest.mark.parametrize(("check", "resource", "read"), SAYING, ids=_label)
def test_answer_without_its_members_is_no_verdict(check: str, resource: Resource, read: Read) -> None:
    subject, requirement = SUBJECTS[check]
    found = verdict(check, subject, healthy() | {(resource, read): {"Unheard": "of"}}, requirement, SCOPE)
    assert found.status is Status.UNKNOWN, found.reason


@pytest.mark.parametrize(("check", "resource", "read"), NEEDED, ids=_label)
def test_denied_read_of_one_changes_no_other_check(check: str, resource: Resource, read: Read) -> None:
    readings = healthy() | {(resource, read): DENIED}
    for other in CHECKS:
        if (resource, read) not in [*reads_of(other)]:
            subject, requirement = SUBJECTS[other]
            assert verdict(other, subject, readings, requirement, SCOPE).status is Status.PASS


@pytest.mark.parametrize("check", [one for one in CHECKS if SUBJECTS[one][0].kind is not Kind.ACCOUNT])
def test_expected_resource_that_does_not_exist_fails_as_missing(check: str) -> None:
    subject, requirement = SUBJECTS[check]
    readings = {one: Missing("Gone") if one[0] == subject else answer for one, answer in healthy().items()}
    readings[SUBJECTS["CW-ALARMS"][0], rds.INSTANCES] = {"DBInstances": []}
    readings[SUBJECTS["CW-ALARMS"][0], iam.AUTHORIZATION] = {"RoleDetailList": [], "Policies": []}
    found = verdict(check, subject, readings, requirement, SCOPE)
    assert (found.status, found.reason) == (Status.FAIL, f"MISSING: {subject} does not exist.")
