"""Merging event selectors loses nothing that was recorded, whatever was there."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from data_protection.event_selectors import BOTH, Direction, merged, recorded, subject
from data_protection.resources import Kind, Place, Resource

PLACE = Place("123456789012", "eu-central-1")
SUBJECTS = [
    *(subject(Resource(Kind.BUCKET, PLACE, name)) for name in ("audio", "audio-2", "logs")),
    *(subject(Resource(Kind.TABLE, PLACE, name)) for name in ("orders", "orders-2")),
]
S3_ARNS = st.sampled_from(["arn:aws:s3:::", "arn:aws:s3:::audio/", "arn:aws:s3:::audio-2/x", "arn:aws:s3:::logs/"])
TABLE_ARNS = st.sampled_from([one.arn for one in SUBJECTS if not one.is_prefix] + ["arn:aws:dynamodb"])

resources = st.one_of(
    st.fixed_dictionaries({"Type": st.just("AWS::S3::Object"), "Values": st.lists(S3_ARNS, min_size=1, max_size=3)}),
    st.fixed_dictionaries(
        {"Type": st.just("AWS::DynamoDB::Table"), "Values": st.lists(TABLE_ARNS, min_size=1, max_size=2)}
    ),
)
basic = st.fixed_dictionaries(
    {
        "ReadWriteType": st.sampled_from(["All", "ReadOnly", "WriteOnly"]),
        "IncludeManagementEvents": st.booleans(),
        "DataResources": st.lists(resources, max_size=2),
    }
)
arns = st.dictionaries(
    st.sampled_from(["StartsWith", "NotStartsWith", "Equals", "NotEquals", "EndsWith", "NotEndsWith"]),
    st.lists(st.one_of(S3_ARNS, TABLE_ARNS), min_size=1, max_size=2),
    max_size=2,
)


@st.composite
def advanced(draw: st.DrawFn) -> dict[str, Any]:
    fields: list[dict[str, Any]] = [
        {"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.type", "Equals": [draw(st.sampled_from(["AWS::S3::Object", "AWS::DynamoDB::Table"]))]},
    ]
    if narrowed := draw(arns):
        fields.append({"Field": "resources.ARN", **narrowed})
    if (read_only := draw(st.sampled_from([None, "true", "false"]))) is not None:
        fields.append({"Field": "readOnly", "Equals": [read_only]})
    return {"Name": "theirs", "FieldSelectors": fields}


selectors = st.one_of(
    st.fixed_dictionaries({"EventSelectors": st.lists(basic, max_size=5)}),
    st.fixed_dictionaries({"AdvancedEventSelectors": st.lists(advanced(), max_size=4)}),
)
wanted = st.lists(st.sampled_from(SUBJECTS), unique=True)
directions = st.sets(st.sampled_from(list(Direction)), min_size=1).map(frozenset)


@given(selectors, wanted, directions)
def test_what_was_recorded_stays_and_what_is_wanted_comes(
    before: dict[str, Any], subjects: list[Any], asked: frozenset[Direction]
) -> None:
    after = {"AdvancedEventSelectors": merged(before, subjects, asked)}
    for one in SUBJECTS:
        assert recorded(before, one) <= recorded(after, one)
    for one in subjects:
        assert asked <= recorded(after, one)


@given(selectors, wanted)
def test_merging_again_changes_nothing(before: dict[str, Any], subjects: list[Any]) -> None:
    once = merged(before, subjects, BOTH)
    assert merged({"AdvancedEventSelectors": once}, subjects, BOTH) == once


@given(st.lists(advanced(), min_size=1, max_size=4), wanted)
def test_selectors_of_others_are_kept_as_they_are(theirs: list[Any], subjects: list[Any]) -> None:
    assert merged({"AdvancedEventSelectors": theirs}, subjects, BOTH)[: len(theirs)] == theirs
