from pathlib import Path

import pytest

from local import samconfig
from local.errors import EnvironmentUnknown

GENERAL = '[dev.global.parameters]\nstack_name = "gatehouse-dev"\nregion = "eu-west-1"\n'


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(samconfig, "ROOT", tmp_path)
    return tmp_path / "samconfig.toml"


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ('["Architecture=x86_64"]', {"Architecture": "x86_64"}),
        ('"Architecture=\\"arm64\\" A=1"', {"Architecture": "arm64", "A": "1"}),
        ("[]", {}),
    ],
)
def test_parameters_may_be_written_as_list_or_as_text(file: Path, overrides: str, expected: dict[str, str]) -> None:
    file.write_text(f"{GENERAL}[dev.deploy.parameters]\nparameter_overrides = {overrides}\n")
    assert samconfig.environment("dev").parameters == expected


def test_environment_says_what_its_stack_is_and_where(file: Path) -> None:
    file.write_text(GENERAL)
    assert samconfig.environment("dev") == samconfig.Environment("gatehouse-dev", "eu-west-1", {})


def test_unknown_environment_is_answered_with_those_there_are(file: Path) -> None:
    file.write_text(f"version = 0.1\n{GENERAL}")
    with pytest.raises(EnvironmentUnknown, match="has no environment 'moon': it has dev"):
        samconfig.environment("moon")
