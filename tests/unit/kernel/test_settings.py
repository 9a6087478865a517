from collections.abc import Iterator
from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError

from kernel.errors import SettingsInvalid
from kernel.settings import Settings, load


class Example(Settings):
    runs_bucket: str
    unit_mb: Annotated[int, Field(ge=1)]
    architecture: Literal["arm64", "x86_64"] = "arm64"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give a process's variables, and forget what was read of them."""
    load.cache_clear()
    monkeypatch.setenv("RUNS_BUCKET", "runs")
    monkeypatch.setenv("UNIT_MB", "64")
    yield
    load.cache_clear()


def test_variables_become_typed_fields() -> None:
    assert load(Example) == Example(runs_bucket="runs", unit_mb=64)


def test_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNS_BUCKET")
    with pytest.raises(
        SettingsInvalid, match=r"^The environment variable RUNS_BUCKET does not hold: Field required\.$"
    ):
        load(Example)


@pytest.mark.parametrize(
    ("variable", "value", "why"),
    [
        ("UNIT_MB", "many", "valid integer"),
        ("UNIT_MB", "0", "greater than or equal to 1"),
        ("ARCHITECTURE", "mips", "'arm64' or 'x86_64'"),
    ],
)
def test_wrong_variable_is_named_with_what_it_may_be(
    variable: str, value: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsInvalid, match=f"^The environment variable {variable} does not hold: .*{why}"):
        load(Example)


def test_value_of_a_variable_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNIT_MB", "a-secret")
    with pytest.raises(SettingsInvalid) as refused:
        load(Example)
    assert "a-secret" not in str(refused.value)
    assert refused.value.__suppress_context__


def test_environment_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(Example)
    monkeypatch.setenv("RUNS_BUCKET", "others")
    assert load(Example) is first


def test_other_variables_are_ignored_and_settings_never_change() -> None:
    assert Settings.model_validate({"home": "x"}) == Settings()
    with pytest.raises(ValidationError, match="frozen"):
        load(Example).runs_bucket = "others"
