"""DynamoDB tables: made with key, stream and deletion protection in one call, then recovery, expiry and scaling."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, Self

from pydantic import Field, model_validator

from data_protection.changes import Call
from data_protection.checks import dynamodb_table
from data_protection.checks.check import Case, Requirement
from data_protection.checks.dynamodb_autoscaling import Autoscaling
from data_protection.checks.dynamodb_deletion_protection import DeletionProtection
from data_protection.checks.dynamodb_key import TableKey
from data_protection.checks.dynamodb_pitr import PointInTimeRecovery
from data_protection.checks.dynamodb_stream import Stream
from data_protection.checks.dynamodb_table import Index, Keys
from data_protection.checks.dynamodb_ttl import TimeToLive
from data_protection.creation.reads import TABLE_TAGS
from data_protection.creation.recipe import Answers, Look, Recipe, Wanted
from data_protection.creation.tags import CREATING, by_name, listed
from data_protection.readings import Missing
from data_protection.reads.dynamodb import CONTINUOUS_BACKUPS, TABLE, TIME_TO_LIVE
from data_protection.reads.scaling import POLICIES, TARGETS
from data_protection.resources import Kind, account_of

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
_NAME: Final = r"^[A-Za-z0-9_.-]{3,255}$"


class Table(Wanted):
    """A table that is asked for. It is always protected from deletion.

    Attributes:
        keys: Of it.
        indexes: Global secondary indexes, at most 20; each holds all attributes.
        units: Read and write capacity of the table and of each index; None for payment by request.
        scale: Between which capacities they grow and shrink by themselves; None where they are paid by request.
        key: ARN, id or alias of the key that encrypts it.
        recovery_days: How far back it can be restored.
        stream: What of a changed item its stream holds.
        expires_by: Attribute with the second at which an item expires; None where none does.
    """

    KIND: ClassVar = Kind.TABLE

    name: str = Field(pattern=_NAME)
    keys: Keys
    indexes: tuple[Index, ...] = Field(default=(), max_length=20)
    units: int | None = Field(default=5, ge=1)
    scale: Autoscaling | None = Autoscaling()
    key: str = Field(min_length=1)
    recovery_days: int = Field(default=35, ge=1, le=35)
    stream: Stream = Stream()
    expires_by: str | None = Field(default=None, min_length=1, max_length=255)

    @model_validator(mode="before")
    @classmethod
    def _without_capacity_nothing_scales(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and "units" in given and given["units"] is None and "scale" not in given:
            return {**given, "scale": None}
        return given

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        names = [index.name for index in self.indexes]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{self.name} has two indexes called {twice[0]}")
        for keys in (self.keys, *self.indexes):
            if keys.sort is not None and keys.sort.name == keys.partition.name:
                raise ValueError(f"{keys.sort.name} cannot be both partition and sort key in {self.name}")
        if self.units is None and self.scale is not None:
            raise ValueError(
                f"{self.name} is paid by request, which has no capacity to scale: leave out units or scale"
            )
        if self.units is not None and self.scale is None:
            raise ValueError(f"{self.name} has a capacity that nothing scales: say between which units, or units: null")
        if self.units is not None and self.scale and not self.scale.minimum <= self.units <= self.scale.maximum:
            raise ValueError(
                f"{self.name} begins with {self.units} units, outside of {self.scale.minimum} to {self.scale.maximum}"
            )
        self._table()  # has one type for each attribute
        return self

    def _table(self) -> dynamodb_table.Table:
        return dynamodb_table.Table(keys=self.keys, indexes=self.indexes, units=self.units)

    def needs(self) -> dict[str, Requirement]:
        """Return what is asked of it, by check."""
        return {
            "DDB-EXISTS": self._table(),
            "DDB-DELPROT": DeletionProtection(),
            "DDB-STREAM": self.stream,
            "DDB-KMS": TableKey(key=self.key),
            "DDB-PITR": PointInTimeRecovery(days=self.recovery_days),
            "DDB-TTL": TimeToLive(attribute=self.expires_by),
            **({} if self.scale is None else {"DDB-SCALE": self.scale}),
        }


def _tags(look: Look[Table]) -> Mapping[str, str] | None:
    if isinstance(look.snapshot.reading(TABLE, look.resource), Missing):
        return None
    look.snapshot.get(TABLE, look.resource)
    return by_name(look.snapshot.get(TABLE_TAGS, look.resource).get("Tags", []))


def _create(look: Look[Table]) -> Sequence[Call]:
    if _tags(look) is not None:
        return []
    [case] = [case for check, case in look.cases() if check.id == "DDB-EXISTS"]
    [creation] = _proposed(case)
    return [creation.model_copy(update={"parameters": {**creation.parameters, "Tags": listed(look.first_tags)}})]


def _proposed(case: Case[Any]) -> Sequence[Call]:
    mutator = dynamodb_table.CHECK.mutator
    assert mutator is not None  # noqa: S101 - mypy cannot know
    return [change.call for change in mutator.propose(case)]


def _fresh(look: Look[Table]) -> Answers:
    [creation] = _create(look)
    given, table, account = creation.parameters, look.resource, account_of(look.resource.place)
    throughput = {"ReadCapacityUnits": look.wanted.units or 0, "WriteCapacityUnits": look.wanted.units or 0}
    encryption = given["SSESpecification"]
    described = {
        **{name: given[name] for name in ("TableName", "KeySchema", "AttributeDefinitions", "StreamSpecification")},
        "TableStatus": "ACTIVE",
        "DeletionProtectionEnabled": given["DeletionProtectionEnabled"],
        "BillingModeSummary": {"BillingMode": given["BillingMode"]},
        "ProvisionedThroughput": throughput,
        "GlobalSecondaryIndexes": [
            {**index, "IndexStatus": "ACTIVE", "ProvisionedThroughput": throughput}
            for index in given.get("GlobalSecondaryIndexes", ())
        ],
        "SSEDescription": {
            "Status": "ENABLED",
            "SSEType": encryption["SSEType"],
            "KMSMasterKeyArn": encryption["KMSMasterKeyId"],
        },
    }
    recovery = {"PointInTimeRecoveryStatus": "DISABLED"}
    return {
        (table, TABLE): {"Table": described},
        (table, TABLE_TAGS): {"Tags": listed(look.first_tags)},
        (table, CONTINUOUS_BACKUPS): {"ContinuousBackupsDescription": {"PointInTimeRecoveryDescription": recovery}},
        (table, TIME_TO_LIVE): {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}},
        (account, TARGETS): look.snapshot.find(TARGETS, account) if look.wanted.scale else {},
        (account, POLICIES): look.snapshot.find(POLICIES, account) if look.wanted.scale else {},
    }


def _settling(look: Look[Table]) -> str:
    table = look.snapshot.get(TABLE, look.resource)["Table"]
    if table["TableStatus"] != "ACTIVE":
        return f"It is {table['TableStatus']}."
    busy = [index["IndexName"] for index in table.get("GlobalSecondaryIndexes", ()) if index["IndexStatus"] != "ACTIVE"]
    return f"Being built: {', '.join(busy)}." if busy else ""


def _finish(look: Look[Table]) -> Sequence[Call]:
    parameters = {"ResourceArn": look.resource.arn, "TagKeys": [CREATING]}
    return [Call(service="dynamodb", operation="untag_resource", parameters=parameters)]


RECIPE: Final = Recipe(
    wanted=Table,
    reads=(TABLE_TAGS,),
    tags=_tags,
    create=_create,
    fresh=_fresh,
    settling=_settling,
    finish=_finish,
    operations=frozenset(
        {
            "dynamodb:create_table",
            "dynamodb:update_continuous_backups",
            "dynamodb:update_time_to_live",
            "dynamodb:untag_resource",
            "application-autoscaling:register_scalable_target",
            "application-autoscaling:put_scaling_policy",
        }
    ),
    actions=frozenset(
        {
            "dynamodb:CreateTable",
            "dynamodb:UpdateContinuousBackups",
            "dynamodb:UpdateTimeToLive",
            "dynamodb:TagResource",
            "dynamodb:UntagResource",
            "application-autoscaling:RegisterScalableTarget",
            "application-autoscaling:PutScalingPolicy",
            # With the caller's rights it tries whether it could scale the table, makes the alarms, and at the first
            # target its service-linked role; user guide, "Permissions validation for API calls on target resources".
            "dynamodb:UpdateTable",
            "cloudwatch:DeleteAlarms",
            "cloudwatch:DescribeAlarms",
            "cloudwatch:PutMetricAlarm",
            "iam:CreateServiceLinkedRole",
            # DynamoDB asks for them in the name of who makes the table; developer guide, "Encryption at rest".
            "kms:CreateGrant",
            "kms:Decrypt",
        }
    ),
    checks=frozenset({"DDB-EXISTS", "DDB-DELPROT", "DDB-STREAM", "DDB-KMS", "DDB-PITR", "DDB-TTL", "DDB-SCALE"}),
)
