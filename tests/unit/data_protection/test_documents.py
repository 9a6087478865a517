"""Documents of people: a key that stands twice is a mistake, and no setting that goes before another."""

import pytest
import yaml

from data_protection.documents import load

TWICE = """\
rules:
  - kind: dynamodb-table
    requires:
      DDB-PITR: {days: 35}
      DDB-KMS: {}
      DDB-PITR: {days: 7}
name: a
name: b
"""


def test_keys_that_stand_twice_are_refused_by_their_lines() -> None:
    with pytest.raises(yaml.YAMLError) as refused:
        load(TWICE)

    assert str(refused.value) == (
        "name on line 8 stands on line 7 already: leave one; DDB-PITR on line 6 stands on line 4 already: leave one"
    )


def test_keys_of_json_may_not_stand_twice_either() -> None:
    with pytest.raises(yaml.YAMLError, match="name on line 1 stands on line 1 already"):
        load('{"name": "a", "name": "b"}')


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("", None),
        ("[{a: 1}, {a: 2}]", [{"a": 1}, {"a": 2}]),
        ("{1: a, '1': b}", {1: "a", "1": "b"}),
        ("{a: &a {x: 1, y: 2}, b: {<<: *a, x: 3}}", {"a": {"x": 1, "y": 2}, "b": {"x": 3, "y": 2}}),
    ],
)
def test_all_else_is_taken(text: str, held: object) -> None:
    assert load(text) == held


def test_document_that_holds_itself_has_an_end() -> None:
    with pytest.raises(yaml.YAMLError, match="b on line 1 stands on line 1 already"):
        load("&a {a: *a, b: 1, b: 2}")
