"""IAM roles of EC2, ECS and Lambda: what they may do is said action by action, within a permissions boundary."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from data_protection.changes import Call
from data_protection.checks.check import Requirement
from data_protection.checks.iam_least_privilege import LeastPrivilege
from data_protection.conditions import is_everything
from data_protection.creation.reads import INSTANCE_PROFILE
from data_protection.creation.recipe import Answers, Look, Recipe, Wanted
from data_protection.creation.tags import CREATING, by_name, listed
from data_protection.errors import CreationRefused
from data_protection.readings import Missing
from data_protection.reads.iam import AUTHORIZATION
from data_protection.resources import Kind, account_of

# IAM user guide, "IAM and AWS STS quotas": names, and the sum of a role's inline policies without white space.
_NAME: Final = r"^[A-Za-z0-9_+=,.@-]{1,64}$"
_MOST_CHARACTERS: Final = 10_240
_ACTION: Final = re.compile(r"[a-z0-9-]+:[A-Za-z0-9*?]+")
_ARN: Final = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:(\d{12}|aws|\*)?:.+")
_POLICY: Final = "work"
_SERVICES: Final = {"ec2": "ec2.amazonaws.com", "ecs": "ecs-tasks.amazonaws.com", "lambda": "lambda.amazonaws.com"}


class Statement(BaseModel):
    """What a role may do.

    Attributes:
        actions: As `s3:GetObject`.
        resources: ARNs.
        conditions: By operator and key, as AWS has them.
        reason: Why an action or a resource must be wide: `s3:Get*`, or `*` or all of a type as a resource. Needed for
            just these.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    actions: Annotated[tuple[str, ...], Field(min_length=1)]
    resources: Annotated[tuple[str, ...], Field(min_length=1)]
    conditions: dict[str, dict[str, str | list[str]]] = {}
    reason: str = ""

    @field_validator("actions")
    @classmethod
    def _are_actions(cls, actions: tuple[str, ...]) -> tuple[str, ...]:
        for action in actions:
            if not _ACTION.fullmatch(action) or action.endswith(":*"):
                raise ValueError(f"{action!r} is no action of a service; name each, as s3:GetObject")
        return actions

    @field_validator("resources")
    @classmethod
    def _are_arns(cls, resources: tuple[str, ...]) -> tuple[str, ...]:
        for resource in resources:
            if resource != "*" and not _ARN.fullmatch(resource):
                raise ValueError(f"{resource!r} is no ARN")
        return resources

    @model_validator(mode="after")
    def _is_narrow(self) -> Self:
        if self._is_wide != bool(self.reason):
            what = "say why it is wide as its reason" if self._is_wide else "it is narrow, and takes no reason"
            raise ValueError(f"the statement about {', '.join(self.actions)}: {what}")
        return self

    @property
    def _is_wide(self) -> bool:
        return self.is_everywhere or any(set("*?") & set(action) for action in self.actions)

    @property
    def is_everywhere(self) -> bool:
        """Whether it is about all resources, with a reason."""
        return any(map(is_everything, self.resources))

    @property
    def document(self) -> dict[str, Any]:
        """The statement as AWS has it."""
        written = {"Effect": "Allow", "Action": list(self.actions), "Resource": list(self.resources)}
        return {**written, "Condition": self.conditions} if self.conditions else written


class Role(Wanted):
    """A role that is asked for.

    Attributes:
        runs: What has it: instances (with an instance profile of the same name), ECS tasks or Lambda functions.
        statements: What it may do.
        boundary: ARN of the policy that bounds it, whatever its own says; that of the deployment.
        description: What it is for.
    """

    KIND: ClassVar = Kind.ROLE

    name: str = Field(pattern=_NAME)
    runs: Literal["ec2", "ecs", "lambda"]
    statements: Annotated[tuple[Statement, ...], Field(min_length=1)]
    boundary: str = Field(default="", pattern=r"^$|^arn:aws[a-z-]*:iam::(\d{12}|aws):policy/.+$")
    description: str = Field(default="", max_length=1000)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (characters := len(_written(self.policy))) > _MOST_CHARACTERS:
            raise ValueError(f"the policy of {self.name} has {characters} characters, IAM takes {_MOST_CHARACTERS}")
        return self

    @property
    def policy(self) -> dict[str, Any]:
        """What it may do, as AWS has it."""
        return {"Version": "2012-10-17", "Statement": [statement.document for statement in self.statements]}

    def needs(self) -> dict[str, Requirement]:
        """Return what is asked of it, by check: what has a reason may be allowed on all resources."""
        reasoned = (action for one in self.statements if one.is_everywhere for action in one.actions)
        return {"IAM-LEAST": LeastPrivilege(anywhere=tuple(dict.fromkeys((*LeastPrivilege().anywhere, *reasoned))))}


def _written(document: Mapping[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"), sort_keys=True)


def _trust(look: Look[Role]) -> dict[str, Any]:
    """Return who may have the role.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html has the conditions of ECS, which
    keep tasks of other accounts out; EC2 and Lambda take none.
    """
    place, runs = look.resource.place, look.wanted.runs
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": _SERVICES[runs]},
        "Action": "sts:AssumeRole",
    }
    if runs == "ecs":
        source = f"arn:{place.partition}:ecs:{place.region}:{place.account}:*"
        statement["Condition"] = {
            "StringEquals": {"aws:SourceAccount": place.account},
            "ArnLike": {"aws:SourceArn": source},
        }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _found(look: Look[Role]) -> Mapping[str, Any] | None:
    roles: list[Mapping[str, Any]] = look.snapshot.get(AUTHORIZATION, account_of(look.resource.place))["RoleDetailList"]
    return next((role for role in roles if role["RoleName"] == look.resource.name), None)


def _tags(look: Look[Role]) -> Mapping[str, str] | None:
    found = _found(look)
    return None if found is None else by_name(found.get("Tags", []))


def _create(look: Look[Role]) -> Sequence[Call]:
    found = _found(look)
    policy = None if found is None else _policy(found)
    return [
        *([_call(look, "create_role", **_first(look))] if found is None else []),
        *([_put_policy(look)] if policy != look.wanted.policy else []),
        *(_profile(look, found) if look.wanted.runs == "ec2" else []),
    ]


def _first(look: Look[Role]) -> dict[str, Any]:
    return {
        "AssumeRolePolicyDocument": _written(_trust(look)),
        "Description": look.wanted.description,
        "PermissionsBoundary": look.wanted.boundary,
        "Tags": listed(look.first_tags),
    }


def _put_policy(look: Look[Role]) -> Call:
    return _call(look, "put_role_policy", PolicyName=_POLICY, PolicyDocument=_written(look.wanted.policy))


def _policy(role: Mapping[str, Any]) -> Mapping[str, Any] | None:
    documents = (one["PolicyDocument"] for one in role.get("RolePolicyList", []) if one["PolicyName"] == _POLICY)
    return next(documents, None)


def _profile(look: Look[Role], role: Mapping[str, Any] | None) -> Sequence[Call]:
    """Return the calls that are left for the instance profile by which instances have the role.

    Raises:
        CreationRefused: Others made one of that name.
    """
    name = look.resource.name
    if role is not None and any(one["InstanceProfileName"] == name for one in role.get("InstanceProfileList", [])):
        return []
    creation = Call(
        service="iam",
        operation="create_instance_profile",
        parameters={"InstanceProfileName": name, "Tags": listed(look.first_tags)},
    )
    joining = _call(look, "add_role_to_instance_profile", InstanceProfileName=name)
    if isinstance(look.snapshot.reading(INSTANCE_PROFILE, look.resource), Missing):
        return [creation, joining]
    profile = look.snapshot.get(INSTANCE_PROFILE, look.resource)["InstanceProfile"]
    if by_name(profile.get("Tags", [])).get(CREATING) != look.maker:
        raise CreationRefused(f"Others made the instance profile {name}: delete it, or give the role another name.")
    return [joining]


def _call(look: Look[Role], operation: str, **parameters: Any) -> Call:
    return Call(service="iam", operation=operation, parameters={"RoleName": look.resource.name, **parameters})


def _fresh(look: Look[Role]) -> Answers:
    account, name = account_of(look.resource.place), look.resource.name
    answer = look.snapshot.get(AUTHORIZATION, account)
    role = {
        "RoleName": name,
        "Arn": look.resource.arn,
        "AssumeRolePolicyDocument": _trust(look),
        "RolePolicyList": [{"PolicyName": _POLICY, "PolicyDocument": look.wanted.policy}],
        "AttachedManagedPolicies": [],
        "InstanceProfileList": [{"InstanceProfileName": name}],
        "Tags": listed(look.first_tags),
    }
    others = [one for one in answer["RoleDetailList"] if one["RoleName"] != name]
    return {
        (account, AUTHORIZATION): {**answer, "RoleDetailList": [*others, role]},
        (look.resource, INSTANCE_PROFILE): {"InstanceProfile": {"Tags": listed(look.first_tags)}},
    }


def _finish(look: Look[Role]) -> Sequence[Call]:
    calls = [_call(look, "untag_role", TagKeys=[CREATING])]
    if look.wanted.runs != "ec2":
        return calls
    profile = look.snapshot.get(INSTANCE_PROFILE, look.resource)["InstanceProfile"]
    if CREATING not in by_name(profile.get("Tags", [])):
        return calls
    parameters = {"InstanceProfileName": look.resource.name, "TagKeys": [CREATING]}
    return [Call(service="iam", operation="untag_instance_profile", parameters=parameters), *calls]


def _differences(look: Look[Role]) -> Sequence[str]:
    role = _found(look) or {}
    bound = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "no policy")
    inline = {one["PolicyName"]: one["PolicyDocument"] for one in role.get("RolePolicyList", [])}
    attached = [one["PolicyName"] for one in role.get("AttachedManagedPolicies", [])]
    profiles = [one["InstanceProfileName"] for one in role.get("InstanceProfileList", [])]
    return [
        *(["Others than asked may have it."] if role["AssumeRolePolicyDocument"] != _trust(look) else []),
        *([f"It is bounded by {bound}."] if bound != look.wanted.boundary else []),
        *(["It may do something else than asked."] if inline != {_POLICY: look.wanted.policy} or attached else []),
        *(["It has no instance profile."] if look.wanted.runs == "ec2" and not profiles else []),
    ]


RECIPE: Final = Recipe(
    wanted=Role,
    reads=(),
    names=lambda resource, wanted: [(resource, INSTANCE_PROFILE)] if wanted.runs == "ec2" else [],
    further=(INSTANCE_PROFILE,),
    tags=_tags,
    create=_create,
    fresh=_fresh,
    finish=_finish,
    differences=_differences,
    operations=frozenset(
        {
            "iam:create_role",
            "iam:put_role_policy",
            "iam:create_instance_profile",
            "iam:add_role_to_instance_profile",
            "iam:untag_instance_profile",
            "iam:untag_role",
        }
    ),
    actions=frozenset(
        {
            "iam:CreateRole",
            "iam:PutRolePolicy",
            "iam:CreateInstanceProfile",
            "iam:AddRoleToInstanceProfile",
            # AddRoleToInstanceProfile asks for it; service authorization reference of IAM.
            "iam:PassRole",
            "iam:TagInstanceProfile",
            "iam:TagRole",
            "iam:UntagInstanceProfile",
            "iam:UntagRole",
        }
    ),
    checks=frozenset({"IAM-LEAST"}),
)
