"""What an operator is told to do next."""

import json
import shlex
from datetime import UTC, datetime

from data_protection.remediation.contracts import PlanRemediation
from data_protection.reports.actions import actions
from data_protection.verdicts import Status
from tests.support.data_protection_reports import look, report, row

FAIL, PASS, WARN, UNKNOWN = Status.FAIL, Status.PASS, Status.WARN, Status.UNKNOWN


def test_plans_begin_with_what_is_gravest_and_then_with_what_mends_most() -> None:
    seen = {
        "eu-central-1": [("DDB-PITR", FAIL), ("DDB-KMS", WARN), ("DDB-SCALE", FAIL), ("S3-TLS", PASS)],
        "eu-west-1": [("S3-BPA", FAIL), ("RDS-ENC", FAIL), ("DDB-STREAM", UNKNOWN)],
        "eu-west-2": [("DDB-PITR", FAIL), ("DDB-TTL", FAIL)],
    }
    found = report(*(look([row(*one, region=region) for one in rows], region=region) for region, rows in seen.items()))

    assert [(one.region, one.phase, one.checks, one.named) for one in actions(found)] == [
        ("eu-west-1", 1, ["S3-BPA"], ()),
        ("eu-central-1", 1, ["DDB-KMS", "DDB-PITR"], ()),
        ("eu-west-2", 1, ["DDB-PITR"], ()),
        ("eu-central-1", 3, ["DDB-SCALE"], ()),
        ("eu-west-2", 3, ["DDB-TTL"], ["DDB-TTL"]),
    ]


def test_what_does_not_come_back_has_a_plan_of_its_own() -> None:
    first, second = actions(report(look([row("S3-VERSION", FAIL), row("S3-LOG", FAIL)])))

    assert (first.checks, first.named) == (["S3-LOG"], ())
    assert (second.checks, second.named) == (["S3-VERSION"], ["S3-VERSION"])


def test_command_is_one_that_the_machine_takes_and_only_plans() -> None:
    [action] = actions(report(look([row("S3-LOCK", FAIL)])))
    *command, given = shlex.split(action.command)

    assert command == ["gatehouse", "run", "remediate_account", "--env", "prod", "--input"]
    asked = PlanRemediation(run="r", time=datetime(2026, 11, 21, tzinfo=UTC), requested_by="alice", **json.loads(given))
    assert (asked.dry_run, asked.phases, asked.named) == (True, (4,), frozenset({"S3-LOCK"}))


def test_a_hostile_place_does_not_leave_its_quotes() -> None:
    region = "eu'; rm -rf ~; '"
    [action] = actions(report(look([row("DDB-PITR", FAIL, region=region)], region=region)))

    assert json.loads(shlex.split(action.command)[-1])["region"] == region
