"""IAM-LEAST: a role may do what its work takes, and only those who do the work may have it."""

import fnmatch
from collections.abc import Iterable, Mapping
from typing import Any, Final

from data_protection import role_trust
from data_protection.checks.check import Case, Check, Requirement, Severity
from data_protection.conditions import is_everything, narrows
from data_protection.policies import Statement, statements
from data_protection.reads.iam import AUTHORIZATION
from data_protection.resources import Kind
from data_protection.snapshot import ResourceMissing
from data_protection.verdicts import Status, Verdict

_ADMINISTRATOR: Final = "policy/AdministratorAccess"
# Keys that say on what or for what something is done: service authorization reference, condition keys of each service.
# Those that say who calls, from where or how (an address, TLS, MFA, one's own account) leave every resource in reach.
_NARROWING: Final = (
    "*:resourcetag/*",
    "aws:sourcearn",
    "cloudwatch:namespace",
    "ec2:subnet",
    "ec2:vpc",
    "ecs:cluster",
    "iam:associatedresourcearn",
    "iam:awsservicename",
    "iam:passedtoservice",
    "iam:permissionsboundary",
    "iam:policyarn",
    "kms:encryptioncontext:*",
    "kms:grantisforawsresource",
    "kms:resourcealiases",
    "kms:viaservice",
    "lambda:functionarn",
    "s3:existingobjecttag/*",
    "secretsmanager:secretid",
)
# Tags do not reliably say who may pass a role: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
_PASSING: Final = ("iam:associatedresourcearn", "iam:passedtoservice")


class LeastPrivilege(Requirement):
    """What a role may be allowed.

    Attributes:
        anywhere: Actions, with wildcards, that may be allowed on all resources: those that have none to name.
    """

    anywhere: tuple[str, ...] = (
        "cloudwatch:PutMetricData",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:Describe*",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
        "ecr:GetAuthorizationToken",
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "xray:Get*",
        "xray:Put*",
    )


def _role(case: Case[LeastPrivilege]) -> Mapping[str, Any]:
    roles: list[Mapping[str, Any]] = case.get(AUTHORIZATION)["RoleDetailList"]
    for role in roles:
        if case.resource.name in {role["RoleName"], role["Arn"]}:
            return role
    raise ResourceMissing(case.resource)


def _documents(case: Case[LeastPrivilege], role: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    """Yield the role's policies by name; the document is None of one that AWS did not answer."""
    for inline in role.get("RolePolicyList", []):
        yield inline["PolicyName"], inline["PolicyDocument"]
    answered = {policy["Arn"]: policy for policy in case.get(AUTHORIZATION)["Policies"]}
    for attached in role.get("AttachedManagedPolicies", []):
        policy = answered.get(attached["PolicyArn"])
        yield (
            attached["PolicyArn"],
            policy
            and next(version["Document"] for version in policy["PolicyVersionList"] if version["IsDefaultVersion"]),
        )


def _faults(asked: LeastPrivilege, statement: Statement) -> Iterable[str]:
    if not statement.allows:
        return
    if statement.excepts:
        yield "allows all but what it names"
        return
    if any(not action.strip("*?:") for action in statement.actions):
        yield "allows every action"
        return
    everything = [resource for resource in statement.resources if is_everything(resource)]
    if not everything:
        return
    if statement.names("iam:PassRole") and not narrows(statement.conditions, *_PASSING):
        yield "may pass every role"
    if narrows(statement.conditions, *_NARROWING):
        return
    wide = [action for action in statement.actions if not _is_harmless(asked, action)]
    if wide:
        where = "every resource" if "*" in everything else f"everything, as {everything[0]}"
        yield f"allows {', '.join(sorted(wide))} on {where}"


def _is_harmless(asked: LeastPrivilege, action: str) -> bool:
    return any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in asked.anywhere)


def _validate(case: Case[LeastPrivilege]) -> Verdict:
    role = _role(case)
    trust = role_trust.judge(role["AssumeRolePolicyDocument"], case.resource.place.account)
    faults, doubts, unseen = list(trust.faults), list(trust.doubts), []
    for name, document in _documents(case, role):
        if name.endswith(_ADMINISTRATOR):
            faults.append("AdministratorAccess allows every action")
        elif document is None:
            unseen.append(name)
        else:
            faults += [f"{name} {fault}" for one in statements(document) for fault in _faults(case.requirement, one)]
    observed = {"faults": faults, "doubts": doubts, "policies_not_seen": unseen}
    expected = {"anywhere": list(case.requirement.anywhere)}
    if faults:
        return Verdict(Status.FAIL, f"{'; '.join(faults)}.", observed, expected)
    if unseen:
        return Verdict(Status.UNKNOWN, f"AWS did not answer the policies {', '.join(unseen)}.", observed, expected)
    if doubts:
        return Verdict(Status.WARN, f"{'; '.join(doubts)}.", observed, expected)
    return Verdict(Status.PASS, "It allows nothing on everything, and says who may have it.", observed, expected)


CHECK: Final = Check(
    id="IAM-LEAST",
    title="The role allows what its work takes",
    why="Whoever gets hold of a role has all that it allows; what it does not need is only of use to them.",
    severity=Severity.HIGH,
    kind=Kind.ROLE,
    requirement=LeastPrivilege,
    reads=(AUTHORIZATION,),
    validate=_validate,
    cost="Free.",
    advice="Name the actions and resources that the role's access history shows, and who may assume it.",
    controls={"AWS FSBP": ("IAM.1", "IAM.21"), "NIST 800-53 r5": ("AC-2(1)", "AC-3", "AC-5", "AC-6", "AC-6(3)")},
)
