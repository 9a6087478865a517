from pathlib import Path
from typing import Any

import pytest

from local.template import UNKNOWN, Stack, load, read

TEMPLATE = """
Parameters:
  Environment: {Type: String, Default: dev}
  Days: {Type: Number, Default: 3}
  Accounts: {Type: CommaDelimitedList, Default: "1, 2"}
  Nobodies: {Type: CommaDelimitedList}
Conditions:
  IsCloud: !Not [!Equals [!Ref Environment, local]]
  IsProd: !Equals [!Ref Environment, prod]
  Both: !And [!Condition IsCloud, !Condition IsProd]
  Either: !Or [!Condition IsProd, !Equals [!Ref Unknown, x]]
Resources:
  Key: {Type: "AWS::KMS::Key"}
  Cloudy: {Type: "AWS::SNS::Topic", Condition: IsCloud}
"""


def stack(tmp_path: Path, **parameters: Any) -> Stack:
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    pseudo = {"AWS::Region": "eu-central-1", "AWS::AccountId": "1" * 12, "AWS::Partition": "aws"}
    return Stack("", path, load(path), parameters, {"Key": "k-1"}, pseudo)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Days"}, 3),
        ({"Ref": "Key"}, "k-1"),
        ({"Ref": "Accounts"}, ["1", "2"]),
        ({"Ref": "Nobodies"}, UNKNOWN),
        ({"Fn::Join": ["+", {"Ref": "Accounts"}]}, "1+2"),
        ({"Fn::Join": ["+", {"Ref": "Nobodies"}]}, UNKNOWN),
        ({"Ref": "AWS::NoValue"}, None),
        ({"Fn::GetAtt": ["Key", "Arn"]}, "arn:aws:kms:eu-central-1:111111111111:key/k-1"),
        ({"Fn::GetAtt": ["Key", "Else"]}, UNKNOWN),
        ({"Fn::Sub": "arn:${AWS::Partition}:x:${Key}/${!literal}"}, "arn:aws:x:k-1/${!literal}"),
        ({"Fn::Sub": ["${a}-${Key.Arn}", {"a": {"Ref": "Days"}}]}, "3-arn:aws:kms:eu-central-1:111111111111:key/k-1"),
        ({"Fn::Sub": "${Nobody}"}, UNKNOWN),
        ({"Fn::Join": ["/", ["a", {"Ref": "Environment"}]]}, "a/dev"),
        ({"Fn::If": ["IsProd", 1, [{"Ref": "Days"}]]}, [3]),
        ({"Fn::Cidr": []}, UNKNOWN),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [{"Ref": "Days"}]}, {"b": [3]}),
    ],
)
def test_intrinsics_are_resolved_or_known_to_be_unknown(tmp_path: Path, value: Any, expected: Any) -> None:
    assert stack(tmp_path).resolve(value) == expected


@pytest.mark.parametrize(
    ("environment", "decided"),
    [("local", (False, False, None)), ("dev", (True, False, None)), ("prod", (True, True, True))],
)
def test_conditions_are_decided_or_left_open(
    tmp_path: Path, environment: str, decided: tuple[bool | None, bool | None, bool | None]
) -> None:
    read_stack = stack(tmp_path, Environment=environment)
    assert tuple(read_stack.condition(name) for name in ("IsCloud", "Both", "Either")) == decided
    assert read_stack.includes(read_stack.resources["Cloudy"]) is (environment != "local")


def test_nested_applications_get_their_parents_values(tmp_path: Path) -> None:
    (tmp_path / "child.yaml").write_text("Parameters: {Env: {Type: String}, Arn: {Type: String}}\nResources: {}\n")
    (tmp_path / "root.yaml").write_text(
        "Parameters: {Environment: {Type: String}}\n"
        "Conditions: {IsCloud: !Not [!Equals [!Ref Environment, local]]}\n"
        "Resources:\n"
        "  Child:\n"
        "    Type: AWS::Serverless::Application\n"
        "    Properties:\n"
        "      Location: child.yaml\n"
        "      Parameters: {Env: !Ref Environment, Arn: !GetAtt Other.Outputs.Arn}\n"
        "  Left:\n"
        "    Type: AWS::Serverless::Application\n"
        "    Condition: IsCloud\n"
        "    Properties: {Location: missing.yaml}\n"
    )
    root, child = read(tmp_path / "root.yaml", {"Environment": "local"})
    assert (root.name, child.name) == ("", "Child")
    assert child.parameters == {"Env": "local", "Arn": UNKNOWN}


def test_dates_stay_text(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("Version: 2012-10-17\n")
    assert load(path) == {"Version": "2012-10-17"}
