"""Documents of people: a key that stands twice is a mistake, and no setting that goes before another."""

import pytest
import yaml

from data_protection.documents import load, load_json

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


def test_json_that_is_read_as_such_neither_and_it_is_nothing_else() -> None:
    assert load_json('{"a": [{"b": 1}, {"b": "22:00"}]}') == {"a": [{"b": 1}, {"b": "22:00"}]}
    with pytest.raises(yaml.YAMLError, match="b on line 2 stands on line 1 already"):
        load_json('{"a": {"b": 1,\n"b": 2}}')
    with pytest.raises(ValueError, match="line 1"):
        load_json("a: 1")


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("", None),
        # A time of day is no number of base 60, which only YAML 1.1 knows.
        ("[22:00, 02:30, 1:30:15, 7, -7, 0.5]", ["22:00", "02:30", "1:30:15", 7, -7, 0.5]),
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
