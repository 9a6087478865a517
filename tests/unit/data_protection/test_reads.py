"""All reads of all checks, held against AWS' API."""

from typing import Any

import pytest
from botocore.validate import ParamValidator

from data_protection.checks.catalogue import catalogue
from data_protection.checks.check import Check
from data_protection.readings import Read
from data_protection.reads.scaling import SCHEDULED
from data_protection.resources import Kind, Resource
from tests.support.data_protection_account import ACCOUNT, PLACE, operation

READS = sorted(
    {read for check in catalogue().values() for read in (*check.reads, *check.further)}, key=lambda r: r.name
)


def subject(read: Read) -> Resource:
    return ACCOUNT if read.kind is Kind.ACCOUNT else Resource(read.kind, PLACE, "plan/selection")


@pytest.mark.parametrize("read", READS, ids=lambda read: read.name)
def test_aws_has_the_call_and_takes_its_arguments(read: Read) -> None:
    model = operation(read.service, read.operation)
    if read.timed is None and model.input_shape is not None:
        report = ParamValidator().validate(dict(read.arguments(subject(read))), model.input_shape)
        assert not report.has_errors(), report.generate_report()
    assert model.output_shape is not None
    assert set(read.merge) <= set(model.output_shape.members)


@pytest.mark.parametrize("read", READS, ids=lambda read: read.name)
def test_each_read_says_what_it_needs(read: Read) -> None:
    assert read.actions
    assert read.name.partition(".")[2] == operation(read.service, read.operation).name


@pytest.mark.parametrize("check", catalogue().values(), ids=lambda check: check.id)
def test_reads_that_others_lead_to_are_of_other_resources(check: Check[Any]) -> None:
    # What goes with scalable targets is of the account, as they are, and read only where there is one.
    assert {read for read in check.further if read.kind is Kind.ACCOUNT} <= {SCHEDULED}
    assert {read.kind for read in check.reads} <= {check.kind, Kind.ACCOUNT}


# S3's actions have other names than its operations, and those of tagging another service's.
MUTATORS = [check for check in catalogue().values() if check.mutator is not None and not check.id.startswith("S3-")]


@pytest.mark.parametrize("check", MUTATORS, ids=lambda check: check.id)
def test_mutator_needs_the_actions_of_what_it_may_call(check: Check[Any]) -> None:
    assert check.mutator is not None
    needed = set()
    for name in check.mutator.operations:
        service, _, call = name.partition(":")
        needed.add(f"{service}:{operation(service, call).name}")
    assert needed <= check.mutator.actions


@pytest.mark.parametrize(
    "read",
    [read for read in READS if read.service not in {"s3", "s3control", "resourcegroupstaggingapi"}],
    ids=lambda read: read.name,
)
def test_read_needs_the_action_of_its_call(read: Read) -> None:
    assert f"{read.service}:{operation(read.service, read.operation).name}" in read.actions
