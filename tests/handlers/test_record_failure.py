import json

import pytest

from firewall_logs.adapters.ledger import LedgerClaims
from firewall_logs.adapters.runs import Plans
from firewall_logs.handlers.record_failure import handler
from kernel import aws
from tests.support.aws import LEDGER, RUNS, entry
from tests.support.context import Context
from tests.support.firewall import NOW, OBJECT_ID, RUN_ID, a_plan, a_planned_object, a_source
from tests.support.metrics import emitted

FAILURE = {"run_id": RUN_ID, "state": "ProcessUnits", "error": "States.Timeout", "cause": "a long one"}


@pytest.fixture
def planned() -> None:
    LedgerClaims(aws.dynamodb(), LEDGER).claim(OBJECT_ID, a_source(), RUN_ID, now=NOW, lease_seconds=60)
    missing = a_planned_object(status="missing", object_id=None)
    Plans(aws.s3(), RUNS).intend(RUN_ID, [OBJECT_ID])
    Plans(aws.s3(), RUNS).write(a_plan(a_planned_object(), missing), [])


def _evidence() -> dict[str, object]:
    body = aws.s3().get_object(Bucket=RUNS, Key=f"firewall_logs/runs/{RUN_ID}/failure.json")["Body"].read()
    document: dict[str, object] = json.loads(body)
    return document


def test_failure_is_recorded_and_its_leases_given_back(planned: None, capsys: pytest.CaptureFixture[str]) -> None:
    handler(FAILURE, Context())
    assert entry(OBJECT_ID)["state"] == "FAILED"
    evidence = _evidence()
    assert {key: evidence[key] for key in FAILURE} == FAILURE
    assert evidence["objects_failed"] == 2
    assert emitted(capsys.readouterr().out) == {"RunsFailed": 1, "ObjectsFailed": 2}


def test_object_that_no_machine_can_hold_counts_once(planned: None) -> None:
    Plans(aws.s3(), RUNS).write(a_plan(a_planned_object(status="unreadable")), [])
    assert handler(FAILURE, Context())["objects_failed"] == 1


def test_first_account_of_a_failure_stands(planned: None, capsys: pytest.CaptureFixture[str]) -> None:
    handler(FAILURE, Context())
    first = _evidence()
    capsys.readouterr()
    handler({**FAILURE, "state": "execution", "error": "FAILED"}, Context())
    assert _evidence() == first
    assert emitted(capsys.readouterr().out) == {}


def test_run_that_ended_before_its_plan_gives_back_what_it_claimed(planned: None) -> None:
    aws.s3().delete_object(Bucket=RUNS, Key=f"firewall_logs/runs/{RUN_ID}/plan.json")
    assert handler(FAILURE, Context())["objects_failed"] == 1
    assert entry(OBJECT_ID)["state"] == "FAILED"


@pytest.mark.parametrize(("asked", "failed"), [({"objects": 3}, 3), ({"objects": 0}, 1), ({}, 1)])
def test_run_that_ended_before_it_knew_its_objects_counts_as_failed(
    asked: dict[str, int], failed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert handler(FAILURE | asked, Context())["objects_failed"] == failed
    assert _evidence()["error"] == "States.Timeout"
    assert emitted(capsys.readouterr().out) == {"RunsFailed": 1, "ObjectsFailed": failed}


def test_run_that_ended_between_its_intent_and_its_claims_counts_all_it_was_to_claim() -> None:
    Plans(aws.s3(), RUNS).intend(RUN_ID, [OBJECT_ID, "f" * 32])
    assert handler(FAILURE | {"objects": 2}, Context())["objects_failed"] == 2


def test_run_whose_objects_are_all_in_other_hands_counts_as_failed(planned: None) -> None:
    Plans(aws.s3(), RUNS).intend("run-2", [OBJECT_ID])
    Plans(aws.s3(), RUNS).write(a_plan(a_planned_object(), run_id="run-2"), [])
    assert handler({**FAILURE, "run_id": "run-2"}, Context())["objects_failed"] == 1


def test_objects_of_another_run_are_left_alone(planned: None) -> None:
    Plans(aws.s3(), RUNS).intend("run-2", [OBJECT_ID])
    handler({**FAILURE, "run_id": "run-2"}, Context())
    assert entry(OBJECT_ID)["state"] == "CLAIMED"
