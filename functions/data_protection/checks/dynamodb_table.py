"""DDB-EXISTS: a required table is there, with its keys and indexes."""

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from data_protection import tables
from data_protection.changes import Call, CannotChange, Change, Reversibility, projected
from data_protection.checks.check import Case, Check, Mutator, Requirement, Severity
from data_protection.checks.dynamodb_autoscaling import on_demand
from data_protection.checks.dynamodb_key import TableKey, sse_specification
from data_protection.checks.dynamodb_stream import Stream
from data_protection.keys import usable_key
from data_protection.readings import Answer, Missing
from data_protection.reads.dynamodb import TABLE
from data_protection.resources import Kind
from data_protection.verdicts import Status, Verdict


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Attribute(_Part):
    """An attribute of a key: its name and whether it is a string, a number or binary."""

    name: str = Field(min_length=1, max_length=255)
    type: Literal["S", "N", "B"] = "S"


class Keys(_Part):
    """The keys of a table or an index.

    Attributes:
        partition: Attribute by which items are spread.
        sort: Attribute by which they are ordered; None for none.
    """

    partition: Attribute
    sort: Attribute | None = None

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """The attributes, the partition key's first."""
        return (self.partition,) if self.sort is None else (self.partition, self.sort)

    @property
    def schema_(self) -> list[dict[str, str]]:
        """The keys as AWS writes them."""
        return [
            {"AttributeName": attribute.name, "KeyType": kind}
            for attribute, kind in zip(self.attributes, ("HASH", "RANGE"), strict=False)
        ]


class Index(Keys):
    """A global secondary index; it holds all attributes."""

    name: str = Field(min_length=3, max_length=255, pattern=r"^[A-Za-z0-9_.-]+$")


class Table(Requirement):
    """What a table must be. One that is made gets at once what DDB-DELPROT, DDB-STREAM and DDB-KMS ask of it.

    Attributes:
        keys: Of it.
        indexes: That it must have; others may be there too. AWS allows 20.
        units: Read and write capacity of the table and of each index that is made; None for payment by request.
    """

    keys: Keys
    indexes: tuple[Index, ...] = Field(default=(), max_length=20)
    units: int | None = Field(default=5, ge=1)

    @model_validator(mode="after")
    def _has_one_type(self) -> Self:
        used = {attribute for keys in (self.keys, *self.indexes) for attribute in keys.attributes}
        if len(used) != len({attribute.name for attribute in used}):
            raise ValueError("an attribute has one type, whatever keys it is part of")
        return self


def _validate(case: Case[Table]) -> Verdict:
    table, asked = case.get(TABLE)["Table"], case.requirement
    found = _indexes(table)
    observed = {"keys": _typed(table, table["KeySchema"]), "status": table["TableStatus"], "indexes": sorted(found)}
    expected = asked.model_dump(include={"keys", "indexes"})
    if wrong := [*_wrong_keys(table, asked), *(f"It has no index {one.name}." for one in _lacking(table, asked))]:
        return tables.settled(table, Verdict(Status.FAIL, " ".join(wrong), observed, expected))
    building = [name for name in (one.name for one in asked.indexes) if found[name]["IndexStatus"] != "ACTIVE"]
    if building or table["TableStatus"] != "ACTIVE":
        what = f"Being built: {', '.join(building)}." if building else f"It is {table['TableStatus']}."
        return Verdict(Status.WARN, what, observed, expected, settling=True)
    return Verdict(Status.PASS, "It is there, with its keys and indexes.", observed, expected)


def _typed(table: Answer, schema: Iterable[Answer]) -> list[str]:
    types = {one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]}
    return [f"{key['KeyType']} {key['AttributeName']}:{types[key['AttributeName']]}" for key in schema]


def _asked(keys: Keys) -> list[str]:
    types = {attribute.name: attribute.type for attribute in keys.attributes}
    return [f"{key['KeyType']} {key['AttributeName']}:{types[key['AttributeName']]}" for key in keys.schema_]


def _indexes(table: Answer) -> dict[str, Answer]:
    return {index["IndexName"]: index for index in table.get("GlobalSecondaryIndexes", [])}


def _lacking(table: Answer, asked: Table) -> list[Index]:
    found = _indexes(table)
    return [index for index in asked.indexes if index.name not in found]


def _wrong_keys(table: Answer, asked: Table) -> list[str]:
    faults = []
    if _typed(table, table["KeySchema"]) != _asked(asked.keys):
        faults.append(f"Its keys are {', '.join(_typed(table, table['KeySchema']))}.")
    found = _indexes(table)
    return faults + [
        f"The keys of {index.name} are {', '.join(keys)}."
        for index in asked.indexes
        if index.name in found and (keys := _typed(table, found[index.name]["KeySchema"])) != _asked(index)
    ]


def _propose(case: Case[Table]) -> Sequence[Change]:
    if isinstance(case.snapshot.reading(TABLE, case.resource), Missing):
        return [_creation(case)]
    table, asked = case.get(TABLE)["Table"], case.requirement
    if wrong := _wrong_keys(table, asked):
        raise CannotChange(f"{' '.join(wrong)} Keys cannot be changed: copy the items into a new table or index.")
    tables.require_active(table)
    missing = _lacking(table, asked)
    if not missing:
        raise CannotChange(f"{case.resource.name} has all its indexes.")
    # One index a call; https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html
    return [_index_creation(case.resource.name, table, index, asked.units) for index in missing]


def _creation(case: Case[Table]) -> Change:
    asked, name = case.requirement, case.resource.name
    needs = case.scope.needs.get(case.resource, {})
    parameters: dict[str, Any] = {
        "TableName": name,
        "KeySchema": asked.keys.schema_,
        "AttributeDefinitions": _definitions(asked.keys, *asked.indexes),
        # So that no moment passes in which the table is there and unprotected.
        "DeletionProtectionEnabled": "DDB-DELPROT" in needs,
        **_billing(asked.units),
    }
    if asked.indexes:
        parameters["GlobalSecondaryIndexes"] = [_index(index, asked.units) for index in asked.indexes]
    if isinstance(stream := needs.get("DDB-STREAM"), Stream):
        parameters["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": stream.view}
    if isinstance(encryption := needs.get("DDB-KMS"), TableKey):
        key = usable_key(case, encryption.key, "a table")
        parameters["SSESpecification"] = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}
    return Change(
        check="DDB-EXISTS",
        title=f"Create the table {name}",
        call=Call(service="dynamodb", operation="create_table", parameters=parameters),
        # Deleting it would lose what was written meanwhile, so that nothing undoes it without being asked.
        inverse=None,
        reversibility=Reversibility.SIDE_EFFECTS,
        before=None,
        after=parameters,
        cost="The table's capacity and its indexes' are paid by the hour." if asked.units else "",
        wait_seconds=900,
    )


def _billing(units: int | None) -> dict[str, Any]:
    return {"BillingMode": "PAY_PER_REQUEST"} if units is None else {"BillingMode": "PROVISIONED", **_throughput(units)}


def _throughput(units: int) -> dict[str, Any]:
    return {"ProvisionedThroughput": {"ReadCapacityUnits": units, "WriteCapacityUnits": units}}


def _definitions(*keys: Keys) -> list[dict[str, str]]:
    types = {attribute.name: attribute.type for one in keys for attribute in one.attributes}
    return [{"AttributeName": name, "AttributeType": type_} for name, type_ in sorted(types.items())]


def _index(index: Index, units: int | None) -> dict[str, Any]:
    made: dict[str, Any] = {
        "IndexName": index.name,
        "KeySchema": index.schema_,
        "Projection": {"ProjectionType": "ALL"},
    }
    return made if units is None else made | _throughput(units)


def _index_creation(name: str, table: Answer, index: Index, units: int | None) -> Change:
    # An index is paid as its table is, whatever the requirement says of tables that are made.
    own = None if on_demand(table) else units or int(table["ProvisionedThroughput"]["ReadCapacityUnits"])
    created = _index(index, own)
    return Change(
        check="DDB-EXISTS",
        title=f"Create the index {index.name} of {name}",
        call=tables.update(
            name,
            AttributeDefinitions=_definitions(index),
            GlobalSecondaryIndexUpdates=[{"Create": created}],
        ),
        inverse=tables.update(name, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": index.name}}]),
        reversibility=Reversibility.REVERSIBLE,
        before=None,
        after=created,
        risk="Filling it takes write capacity, and the table takes no other change until it is done.",
        cost="An index is stored and written as a table of its own.",
        wait_seconds=3600,
    )


def _present(case: Case[Table], change: Change) -> Any:
    if isinstance(case.snapshot.reading(TABLE, case.resource), Missing):
        return None
    table, after = case.get(TABLE)["Table"], change.after
    if "IndexName" in after:
        indexes = (one for one in table.get("GlobalSecondaryIndexes", []) if one["IndexName"] == after["IndexName"])
        return next((projected(index, after) for index in indexes), None)
    found = {
        **table,
        "AttributeDefinitions": sorted(table["AttributeDefinitions"], key=itemgetter("AttributeName")),
        "DeletionProtectionEnabled": table.get("DeletionProtectionEnabled", False),
        "BillingMode": "PAY_PER_REQUEST" if on_demand(table) else "PROVISIONED",
        "SSESpecification": sse_specification(table),
    }
    return projected(found, after)


CHECK: Final = Check(
    id="DDB-EXISTS",
    title="The table is there, with its keys and indexes",
    why="What is missing protects nothing, and whoever makes it in a hurry makes it without protection.",
    severity=Severity.HIGH,
    kind=Kind.TABLE,
    requirement=Table,
    reads=(TABLE,),
    beside=("DDB-KMS",),  # the key of a table that is made
    validate=_validate,
    cost="Capacity by the hour, storage by the GB-month, for the table and for each index.",
    advice="Create the table from its template; keys cannot be changed later.",
    mutator=Mutator(
        phase=3,
        reversibility=Reversibility.SIDE_EFFECTS,
        operations=frozenset({"dynamodb:create_table", "dynamodb:update_table"}),
        actions=frozenset(
            {
                "dynamodb:CreateTable",
                "dynamodb:UpdateTable",
                "kms:DescribeKey",
                "kms:CreateGrant",
                "kms:Decrypt",
            }
        ),
        propose=_propose,
        present=_present,
        # A table that was made is not deleted by any call, its items with it.
        undoing_loses=lambda change: (
            "The index is deleted: queries of it fail, and to make it again takes as long as filling it did."
            if change.call.operation == "update_table"
            else ""
        ),
    ),
)
