"""CloudTrail's event selectors: which data events a trail records, and how to have it record more.

There are basic selectors and advanced ones; a trail has one kind. Both are judged by what they leave out: by a filter
on ARN, direction or event name a trail that records "data events" misses those that matter.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from data_protection.changes import CannotChange
from data_protection.readings import Answer
from data_protection.resources import Kind, Resource

_MOST_VALUES: Final = 500  # over all advanced selectors of a trail
_MANAGEMENT: Final = {
    "Name": "Management events",
    "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}],
}
_OWN: Final = "Gatehouse: "  # what the names of our selectors begin with


class Direction(StrEnum):
    """Of data events."""

    READ = "read"
    WRITE = "write"


BOTH: Final = frozenset(Direction)
_BASIC: Final = {
    "All": BOTH,
    "ReadOnly": frozenset({Direction.READ}),
    "WriteOnly": frozenset({Direction.WRITE}),
}


@dataclass(frozen=True)
class Subject:
    """Whose data events are meant: all objects below a prefix of a bucket, or a table.

    Attributes:
        type: As CloudTrail calls it.
        arn: Of the table, or that all ARNs of the objects begin with.
        is_prefix: Whether it is the latter.
    """

    type: str
    arn: str
    is_prefix: bool


def subject(resource: Resource, prefix: str = "") -> Subject:
    """Return the subject of a table, or of a bucket's objects."""
    if resource.kind is Kind.BUCKET:
        return Subject("AWS::S3::Object", f"{resource.arn}/{prefix}", is_prefix=True)
    return Subject("AWS::DynamoDB::Table", resource.arn, is_prefix=False)


def recorded(selectors: Answer, subject: Subject) -> frozenset[Direction]:
    """Return the directions in which every data event of a subject is recorded; partly is not.

    Args:
        selectors: AWS' answer to GetEventSelectors.
        subject: Whose events.
    """
    advanced = selectors.get("AdvancedEventSelectors") or []
    basic = selectors.get("EventSelectors") or []
    found = [_by_advanced(one, subject) for one in advanced] + [_by_basic(one, subject) for one in basic]
    return frozenset().union(*found)


def _by_basic(selector: Mapping[str, Any], subject: Subject) -> frozenset[Direction]:
    for data in selector.get("DataResources", []):
        if data["Type"] == subject.type and any(_reaches(value, subject) for value in data["Values"]):
            return _BASIC[selector.get("ReadWriteType", "All")]
    return frozenset()


def _reaches(value: str, subject: Subject) -> bool:
    # A value is a prefix for objects, a whole ARN for tables, and `arn:aws:s3` or `arn:aws:dynamodb` for all.
    return subject.arn.startswith(value) if subject.is_prefix or _is_all(value) else value == subject.arn


def _is_all(value: str) -> bool:
    return value.rstrip(":").count(":") <= 2  # noqa: PLR2004 - arn, partition, service


def _by_advanced(selector: Mapping[str, Any], subject: Subject) -> frozenset[Direction]:
    fields = selector["FieldSelectors"]
    values = {one["Field"]: one.get("Equals", []) for one in fields}
    if values.get("eventCategory") != ["Data"] or subject.type not in values.get("resources.type", []):
        return frozenset()
    arns = [one for one in fields if one["Field"] == "resources.ARN"]
    # Any other field, such as eventName or userIdentity.arn, leaves events out.
    narrows = set(values) - {"eventCategory", "resources.type", "readOnly", "resources.ARN"}
    if narrows or not all(_holds(one, subject) for one in arns):
        return frozenset()
    read_only = values.get("readOnly")
    if read_only is None:
        return BOTH
    return frozenset({Direction.READ if read_only == ["true"] else Direction.WRITE})


def _holds(field: Mapping[str, Sequence[str]], subject: Subject) -> bool:
    """Return whether a condition on the ARN holds for all events of a subject.

    Of several operators all must hold; of the values of one, any that includes, and none that excludes.
    """
    arn, is_prefix = subject.arn, subject.is_prefix
    judges: dict[str, Callable[[Sequence[str]], bool]] = {
        "Equals": lambda values: not is_prefix and arn in values,
        "StartsWith": lambda values: any(arn.startswith(value) for value in values),
        "EndsWith": lambda values: not is_prefix and any(arn.endswith(value) for value in values),
        "NotEquals": lambda values: not any(value.startswith(arn) if is_prefix else value == arn for value in values),
        "NotStartsWith": lambda values: (
            not any(arn.startswith(value) or (is_prefix and value.startswith(arn)) for value in values)
        ),
        "NotEndsWith": lambda values: not is_prefix and not any(arn.endswith(value) for value in values),
    }
    return all(judge(field[operator]) for operator, judge in judges.items() if field.get(operator))


def merged(selectors: Answer, subjects: Iterable[Subject], directions: frozenset[Direction]) -> list[Mapping[str, Any]]:
    """Return advanced selectors that record what these do, and all data events of the subjects.

    What is there stays: basic selectors become the advanced ones that mean the same, as AWS takes one kind only. A
    trail without any records management events, which a selector must say from then on. Ours are found by their names
    and made anew for what the others do not record.

    Raises:
        CannotChange: AWS would refuse so many values.
    """
    foreign = [one for one in selectors.get("AdvancedEventSelectors") or [] if not one.get("Name", "").startswith(_OWN)]
    foreign += [made for one in selectors.get("EventSelectors") or [] for made in _as_advanced(one)]
    foreign = foreign or [_MANAGEMENT]
    missing = [one for one in subjects if not directions <= recorded({"AdvancedEventSelectors": foreign}, one)]
    whole = [*foreign, *_own(missing, directions)]
    count = sum(len(values) for one in whole for field in one["FieldSelectors"] for values in _lists(field))
    if count > _MOST_VALUES:
        raise CannotChange(
            f"The trail's selectors would hold {count} values, AWS takes {_MOST_VALUES}: record all buckets or all "
            "tables, without naming them, or use a second trail."
        )
    return whole


def _lists(field: Mapping[str, Any]) -> Iterable[Sequence[str]]:
    return (values for operator, values in field.items() if operator != "Field" and values)


def _own(subjects: Sequence[Subject], directions: frozenset[Direction]) -> Iterable[Mapping[str, Any]]:
    for type_ in sorted({one.type for one in subjects}):
        of_type = [one for one in subjects if one.type == type_]
        operator = "StartsWith" if of_type[0].is_prefix else "Equals"
        arns = {"Field": "resources.ARN", operator: sorted(one.arn for one in of_type)}
        yield _data(f"{_OWN}{type_}", type_, directions, [arns])


def _data(
    name: str, type_: str, directions: frozenset[Direction], arns: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any]:
    return {
        "Name": name,
        "FieldSelectors": [
            {"Field": "eventCategory", "Equals": ["Data"]},
            {"Field": "resources.type", "Equals": [type_]},
            *_read_only(directions),
            *arns,
        ],
    }


def _read_only(directions: frozenset[Direction]) -> Sequence[Mapping[str, Any]]:
    if directions == BOTH:
        return []
    return [{"Field": "readOnly", "Equals": ["true" if Direction.READ in directions else "false"]}]


def _as_advanced(basic: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    directions = _BASIC[basic.get("ReadWriteType", "All")]
    if basic.get("IncludeManagementEvents", True):
        excluded = basic.get("ExcludeManagementEventSources") or []
        yield {
            "Name": _MANAGEMENT["Name"],
            "FieldSelectors": [
                *_MANAGEMENT["FieldSelectors"],
                *_read_only(directions),
                *([{"Field": "eventSource", "NotEquals": excluded}] if excluded else []),
            ],
        }
    for data in basic.get("DataResources", []):
        operator = "StartsWith" if data["Type"] == "AWS::S3::Object" else "Equals"
        every = any(_is_all(value) for value in data["Values"])
        arns = [] if every else [{"Field": "resources.ARN", operator: data["Values"]}]
        yield _data(data["Type"], data["Type"], directions, arns)
