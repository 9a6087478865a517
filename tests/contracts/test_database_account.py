"""The part of an account that has databases: its role describes and reads logs, for Gatehouse's functions alone."""

from database_logs.adapters.complete_file import CompleteFiles
from database_logs.adapters.rds import RdsApi
from tests.support.templates import Json, functions, standalone

_, DATABASES = standalone()
ROLE = DATABASES.resources["LogReaderRole"]["Properties"]


def _statements() -> dict[str, Json]:
    """Return what the role may do, by Sid."""
    return {s["Sid"]: s for policy in ROLE["Policies"] for s in policy["PolicyDocument"]["Statement"]}


def test_role_grants_just_what_the_adapters_ask_of_rds() -> None:
    granted = {action for s in _statements().values() if s["Effect"] == "Allow" for action in s["Action"]}

    assert granted == RdsApi.IAM | CompleteFiles.IAM


def test_everything_but_tls_is_refused() -> None:
    refusal = _statements()["TlsOnly"]

    assert (refusal["Effect"], refusal["Action"], refusal["Resource"]) == ("Deny", "*", "*")
    assert refusal["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_only_gatehouses_roles_with_the_external_id_may_assume_it() -> None:
    [trust] = ROLE["AssumeRolePolicyDocument"]["Statement"]

    assert trust["Principal"]["AWS"]["Fn::Sub"].endswith("::${GatehouseAccountId}:root")
    assert trust["Condition"]["StringEquals"] == {"sts:ExternalId": {"Ref": "ExternalId"}}
    assert trust["Condition"]["ArnLike"]["aws:PrincipalArn"]["Fn::Sub"].endswith(":role/${GatehouseStackName}-*")


def test_functions_that_ask_rds_may_assume_just_the_roles_that_are_given() -> None:
    conditional = {
        function.logical_id: statement["Fn::If"]
        for function in functions()
        for policy in function.properties["Policies"]
        for statement in policy["Statement"]
        if "Fn::If" in statement and function.domain == "database_logs"
    }

    assert conditional.keys() == {"DiscoverLogsFunction", "CollectFileFunction"}
    for condition, granted, otherwise in conditional.values():
        assert condition == "HasRoles"
        assert (granted["Action"], granted["Resource"]) == (["sts:AssumeRole"], {"Ref": "RoleArns"})
        assert otherwise == {"Ref": "AWS::NoValue"}
