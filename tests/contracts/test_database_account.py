"""The part of an account that has databases: its role describes and reads logs, for Gatehouse's functions alone."""

from database_logs.adapters.complete_file import CompleteFiles
from database_logs.adapters.rds import FleetApi, LogApi
from tests.support.templates import Json, functions, standalone

_, DATABASES, _ = standalone()
ROLE = DATABASES.resources["LogReaderRole"]["Properties"]


def _statements() -> dict[str, Json]:
    """Return what the role may do, by Sid."""
    return {s["Sid"]: s for policy in ROLE["Policies"] for s in policy["PolicyDocument"]["Statement"]}


def test_role_grants_just_what_the_adapters_ask_of_rds() -> None:
    granted = {action for s in _statements().values() if s["Effect"] == "Allow" for action in s["Action"]}

    assert granted == FleetApi.IAM | LogApi.IAM | CompleteFiles.IAM


def test_role_reaches_nothing_but_databases_and_their_parameters_of_its_own_account() -> None:
    granted = {name: s["Resource"] for name, s in _statements().items() if s["Effect"] == "Allow"}
    # They have none: service authorization reference, "Actions defined by Amazon RDS".
    assert granted.pop("HearEvents") == "*"
    resources = [one["Fn::Sub"] for some in granted.values() for one in (some if isinstance(some, list) else [some])]

    kinds = ("db", "cluster", "pg", "cluster-pg")
    assert resources == [f"arn:${{AWS::Partition}}:rds:*:${{AWS::AccountId}}:{kind}:*" for kind in kinds]


def test_external_id_has_to_be_given_and_is_not_shown() -> None:
    external_id = DATABASES.body["Parameters"]["ExternalId"]

    assert "Default" not in external_id
    assert external_id["NoEcho"] is True
    # What STS takes: API reference of AssumeRole.
    assert external_id["AllowedPattern"] == "^[0-9A-Za-z_+=,.@:/-]{2,1224}$"


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

    assert conditional.keys() == {
        "DiscoverLogsFunction",
        "CollectFileFunction",
        "PlanRdsReplayFunction",
        "RestoreSegmentsFunction",
    }
    for condition, granted, otherwise in conditional.values():
        assert condition == "HasRoles"
        assert (granted["Action"], granted["Resource"]) == (["sts:AssumeRole"], {"Ref": "RoleArns"})
        assert otherwise == {"Ref": "AWS::NoValue"}
