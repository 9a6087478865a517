"""IAM is enforced in these tests (see `least_privilege` in conftest.py): worth something only if it refuses."""

import json
from typing import Any

import pytest

from tests.e2e.conftest import Gatehouse

pytestmark = pytest.mark.cloud

PLAN_RUN = "gatehouse-local-firewall-logs-plan-run"


@pytest.fixture(scope="module")
def least_privilege() -> None:
    """Here a function is refused on purpose."""


def test_function_without_its_policy_is_refused(gatehouse: Gatehouse) -> None:
    functions, iam = gatehouse.client("lambda"), gatehouse.client("iam")
    role = functions.get_function_configuration(FunctionName=PLAN_RUN)["Role"].rpartition("/")[2]
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    policies = {name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names}
    wanted = {"run_id": "refused", "started_at": "2026-06-03T00:00:00Z", "input": {"feed": "47"}}
    for name in policies:
        iam.delete_role_policy(RoleName=role, PolicyName=name)
    try:
        answer: dict[str, Any] = functions.invoke(FunctionName=PLAN_RUN, Payload=json.dumps(wanted))
    finally:
        for name, policy in policies.items():
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))
    assert "not authorized to perform" in answer["Payload"].read().decode()
