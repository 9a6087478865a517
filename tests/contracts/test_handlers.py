"""Every handler imports with what is deployed with it, and reads just what the template gives it."""

import re
from functools import cache
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import TypeAdapter

from tests.support.handlers import handler_source
from tests.support.layers import imported, installed, probed, size
from tests.support.templates import Function, Json, Stack, functions, stacks

# python3.11 runs on Amazon Linux 2: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
GLIBC = 26
LIMIT_MIB = 250  # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: unzipped, layers included
MARGIN_MIB = 15  # wheels of the other architecture differ a little


def keys_out_of_step(variables: set[str], fields: set[str]) -> list[str]:
    return [
        *(f"{name} is set by the template, but no settings read it" for name in sorted(variables - fields)),
        *(f"{name} is read by the settings, but the template does not set it" for name in sorted(fields - variables)),
    ]


@pytest.mark.parametrize("function", functions(), ids=str)
def test_handler_imports_with_its_code_and_layers_alone(function: Function) -> None:
    assert len(imported(function).libraries) <= 1, f"{function} imports both polars and pyarrow: they fit no function"


def test_handler_that_cannot_be_imported_is_noticed_whatever_comes_before_it() -> None:
    function = functions()[0]
    handlers = ["kernel.errors.SettingsInvalid", "kernel.errors.nothing", "polars.DataFrame", "kernel.nowhere.handler"]
    sound, *broken = probed(function.code, tuple(function.layers), handlers).values()
    assert "error" not in sound
    assert [found["error"].split("\n")[-2].partition(":")[0] for found in broken] == [
        "AttributeError",
        "ModuleNotFoundError",
        "ModuleNotFoundError",
    ]


@pytest.mark.parametrize("function", functions(), ids=str)
def test_function_and_layers_fit_lambda(function: Function) -> None:
    mib = sum(map(size, [function.code, *map(installed, function.layers)])) / (1 << 20)

    assert mib < LIMIT_MIB - MARGIN_MIB, f"{function} has {mib:.0f} MiB with its layers"


@pytest.mark.parametrize("function", functions(), ids=str)
def test_layers_hold_no_code_of_ours(function: Function) -> None:
    for layer in function.layers:
        assert {path.name for path in layer.iterdir()} <= {"requirements.in", "requirements.txt", "python"}
    names = {layer.name for layer in function.layers}
    assert not {"polars", "pyarrow"} <= names, f"{function} has layers of both polars and pyarrow"


@pytest.mark.parametrize("function", functions(), ids=str)
def test_names_tell_what_runs_where(function: Function) -> None:
    verb = "".join(word.capitalize() for word in function.name.split("_"))
    prefix = "gatehouse-${Environment}-" + f"{function.domain}-{function.name}".replace("_", "-")

    assert function.logical_id == f"{verb}Function"
    assert function.properties["FunctionName"] == {"Fn::Sub": prefix}
    assert function.stack.name.startswith(function.domain), "a domain's stacks begin with its name"


@pytest.mark.parametrize("function", functions(), ids=str)
def test_environment_equals_settings(function: Function) -> None:
    shared = _shared(function.stack.body)
    variables = function.properties["Environment"]["Variables"].keys() - shared.keys()
    fields = {name.upper() for model in handler_source(function).settings for name in model.model_fields}

    problems = keys_out_of_step(set(variables), fields)

    assert not problems, f"{function}: " + "; ".join(problems)


@pytest.mark.parametrize("function", functions(), ids=str)
def test_literal_variables_are_valid_settings(function: Function) -> None:
    variables = function.properties["Environment"]["Variables"]
    for model in handler_source(function).settings:
        for name, field in model.model_fields.items():
            value = variables.get(name.upper())
            if isinstance(value, str):
                TypeAdapter(Annotated[field.annotation, *field.metadata]).validate_python(value)


@pytest.mark.parametrize("stack", [s for s in stacks() if "Globals" in s.body], ids=str)
def test_shared_variables_are_those_of_powertools(stack: Stack) -> None:
    assert all(re.fullmatch(r"POWERTOOLS_[A-Z_]+", name) for name in _shared(stack.body))


def test_keys_out_of_step_are_reported() -> None:
    assert len(keys_out_of_step({"SPARE", "USED"}, {"USED", "MISSING"})) == 2


def _shared(body: Json) -> Json:
    return dict(body["Globals"]["Function"]["Environment"]["Variables"])


def needed_glibc(library: bytes) -> int:
    """Return the minor version of the newest glibc 2.x symbol that a shared library asks for; 0 for none."""
    return max((int(minor) for minor in re.findall(rb"GLIBC_2\.(\d+)", library)), default=0)


@cache
def _too_new(packages: Path) -> list[str]:
    libraries = packages.rglob("*.so*")
    return [f"{path.name} needs 2.{found}" for path in libraries if (found := needed_glibc(path.read_bytes())) > GLIBC]


@pytest.mark.parametrize("function", functions(), ids=str)
def test_layers_load_on_the_runtime(function: Function) -> None:
    too_new = [problem for layer in function.layers for problem in _too_new(installed(layer))]

    assert not too_new, f"{function} runs on glibc 2.{GLIBC}: {too_new}"


def test_library_for_a_newer_system_is_noticed() -> None:
    assert needed_glibc(b"\0GLIBC_2.17\0GLIBC_2.28\0") == 28
