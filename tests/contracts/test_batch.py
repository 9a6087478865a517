"""The Fargate image and its task: what the Dockerfile promises, and that image, task, machine and code fit together.

No image is built here: what would be in it is put together from the Dockerfile's own lines, and run.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, get_args

import pytest

from batch import cut, unit
from batch.exits import INTERRUPTED, REFUSED
from batch.main import WORKS
from firewall_logs.days import compose, engines
from firewall_logs.planning import FUNCTION_MB
from firewall_logs.settings import BatchSettings
from local.paths import ROOT, RUNTIME_PYTHON
from tests.support.definitions import Json, read, states
from tests.support.layers import packages
from tests.support.templates import Machine, Stack, children, functions, machines, root

DOCKERFILE = ROOT / "batch/Dockerfile"
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html: MiB by CPU units.
FARGATE_MEMORY = {
    "4096": range(8192, 30720 + 1, 1024),
    "8192": range(16384, 61440 + 1, 4096),
    "16384": range(32768, 122880 + 1, 8192),
}
STORAGE_GIB = range(21, 200 + 1)


def instructions(text: str) -> list[tuple[str, str]]:
    """Return word and rest of each instruction of a Dockerfile, its continued lines joined."""
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    return [(word.upper(), rest) for line in joined.splitlines() if line for word, _, rest in [line.partition(" ")]]


def careless(text: str) -> Iterator[str]:
    """Yield what a Dockerfile does that ours has promised not to do."""
    found = instructions(text)
    final = found[max(number for number, (word, _) in enumerate(found) if word == "FROM") :]
    arguments = dict(rest.split("=", 1) for word, rest in found if word == "ARG" and "=" in rest)
    for word, rest in found:
        if word == "FROM":
            image = re.sub(r"\$\{(\w+)}", lambda name: arguments[name[1]], rest.split()[0])
            if not re.search(r"@sha256:[0-9a-f]{64}$|:\d+\.\d+[\w.-]*$", image):
                yield f"{image} is pinned to no version"
        if word in {"RUN", "CMD", "ENTRYPOINT"} and not rest.startswith("["):
            yield f"{word} goes through a shell"
        if word == "ADD":
            yield "ADD fetches and unpacks: use COPY"
        if word == "RUN" and "pip" in rest and not {"--require-hashes", "--only-binary"} <= set(_words(rest)):
            yield "pip installs what no hash vouches for, or compiles"
    users = [rest for word, rest in final if word == "USER"]
    if not users or users[-1].split(":")[0] in {"root", "0"}:
        yield "it runs as root"
    if any(word == "RUN" for word, _ in final):
        yield "its last stage runs something, so that what it leaves is unknown"


def test_the_image_keeps_its_promises() -> None:
    assert not list(careless(DOCKERFILE.read_text()))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (":3.11-slim-bookworm", ":latest", "is pinned to no version"),
        (":3.11-slim-bookworm", "", "is pinned to no version"),
        ("USER 65532:65532", "", "it runs as root"),
        ("USER 65532:65532", "USER 0", "it runs as root"),
        ('"--require-hashes", ', "", "no hash vouches for"),
        ('CMD ["python", "-m", "batch.main"]', "CMD python -m batch.main", "goes through a shell"),
        ("WORKDIR", 'RUN ["true"]\nWORKDIR', "its last stage runs something"),
    ],
)
def test_a_broken_promise_is_reported(old: str, new: str, complaint: str) -> None:
    text = DOCKERFILE.read_text()
    assert old in text

    assert any(complaint in problem for problem in careless(text.replace(old, new)))


def test_what_the_image_copies_is_let_through_to_the_builder() -> None:
    ignored = [line for line in (ROOT / "batch/Dockerfile.dockerignore").read_text().splitlines() if line[:1] == "!"]
    passed = [line.removeprefix("!").replace("**/", "*") for line in ignored]
    missing = [str(path) for path in _copied() if not any(fnmatch(str(path), pattern) for pattern in passed)]

    assert _copied()
    assert not missing


def run_image(tmp: Path) -> subprocess.CompletedProcess[str]:
    """Put the image's files together, run its command in an empty environment, and return how it ended."""
    for path in _copied():
        target = tmp / "app" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, target)
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": f"functions:{packages(ROOT / 'requirements/batch.txt')}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_REGION": "eu-central-1",
    }
    # -S: nothing that this interpreter has of its own, only what the lock puts beside it.
    command = [str(RUNTIME_PYTHON), "-S", *_command()[1:]]
    return subprocess.run(  # noqa: S603 - ourselves
        command, cwd=tmp / "app", env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.xdist_group("layers")
def test_the_command_of_the_image_runs_with_its_files_and_its_lock_alone(tmp_path: Path) -> None:
    ended = run_image(tmp_path)

    assert ended.returncode == REFUSED, ended.stderr
    said = json.loads(ended.stdout.splitlines()[-1])
    assert (said["message"], said["exception_name"]) == ("work refused", "SettingsInvalid")


def test_the_task_runs_the_command_of_the_image_unprivileged() -> None:
    container = _container()

    assert container["Command"] == _command()
    assert container["User"] == dict(instructions(DOCKERFILE.read_text()))["USER"]
    assert container["ReadonlyRootFilesystem"] is True
    assert [mount["ContainerPath"] for mount in container["MountPoints"]] == ["/tmp"]  # noqa: S108 - in the container
    assert {"Privileged", "PortMappings", "Secrets"}.isdisjoint(container)


def test_environment_of_task_and_machine_equals_settings() -> None:
    given = {entry["Name"] for entry in _container()["Environment"]}
    shared = {name for name in given if name.startswith("POWERTOOLS_")}
    for _, state in _run_tasks():
        [override] = state["Arguments"]["Overrides"]["ContainerOverrides"]
        told = {entry["Name"] for entry in override["Environment"]}

        assert override["Name"] == _container()["Name"]
        assert told.isdisjoint(given)
        assert (given | told) - shared == {name.upper() for name in BatchSettings.model_fields}


def test_every_kind_of_work_is_known_on_both_sides() -> None:
    kinds = {
        entry["Value"]
        for _, state in _run_tasks()
        for entry in state["Arguments"]["Overrides"]["ContainerOverrides"][0]["Environment"]
        if entry["Name"] == "WORK_KIND"
    }

    assert WORKS.keys() == set(get_args(BatchSettings.model_fields["work_kind"].annotation)) == kinds


def test_the_task_ends_before_ecs_kills_it() -> None:
    seconds = float(_variables()["STOP_SECONDS"])

    assert seconds < _container()["StopTimeout"] <= 120, "two minutes are Fargate's limit and Spot's notice"


def test_task_and_functions_agree_about_the_lease() -> None:
    leases = {
        function.properties["Environment"]["Variables"].get("LEASE_SECONDS")
        for function in functions()
        if function.stack.name == "firewall_logs"
    }

    assert leases - {None} == {_variables()["LEASE_SECONDS"]}


@pytest.mark.parametrize("cpu", root().body["Parameters"]["FirewallLogsBatchCpu"]["AllowedValues"])
def test_every_size_is_one_that_fargate_has(cpu: str) -> None:
    size = _stack().body["Mappings"]["Size"][cpu]

    assert int(size["Memory"]) in FARGATE_MEMORY[cpu]
    assert int(size["Vcpus"]) * 1024 == int(cpu)
    assert int(size["Storage"]) in STORAGE_GIB


def test_the_role_of_the_task_grants_just_what_its_adapters_use() -> None:
    names = (found for module in (unit, cut, compose) for found in vars(module).values())
    adapters = {found for found in names if isinstance(found, type) and ".adapters." in found.__module__}
    declared = {action for adapter in adapters for action in adapter.IAM}  # type: ignore[attr-defined]
    [policy] = _stack().of_type("AWS::IAM::Role")["BatchTaskRole"]["Policies"]
    statements = (s["Fn::If"][1] if "Fn::If" in s else s for s in policy["PolicyDocument"]["Statement"])

    assert {action for statement in statements for action in statement["Action"]} == declared


@pytest.mark.parametrize("machine", [m for m in machines() if "runTask" in m.path.read_text()], ids=str)
def test_machine_means_the_cluster_the_task_and_the_roles_of_the_stack(machine: Machine) -> None:
    named = [_stack().of_type("AWS::ECS::Cluster")["Cluster"]["ClusterName"], _task()["Family"]]
    roles = [role["RoleName"] for role in _stack().of_type("AWS::IAM::Role").values()]
    [policy] = machine.stack.resources[machine.properties["Role"]["Fn::GetAtt"][0]]["Properties"]["Policies"]
    resources = {s["Sid"]: s["Resource"] for s in policy["PolicyDocument"]["Statement"]}

    assert [machine.substitutions[name] for name in ("BatchCluster", "BatchTask")] == named
    assert resources["RunTasks"]["Fn::Sub"].endswith(f":task-definition/{named[1]['Fn::Sub']}:*")
    assert resources["WatchTasks"]["Fn::Sub"].endswith(f":task/{named[0]['Fn::Sub']}/*")
    assert [found["Fn::Sub"].rpartition("/")[2] for found in resources["HandOverRoles"]] == [
        r["Fn::Sub"] for r in roles
    ]


def test_the_machine_knows_the_exit_code_of_refused_work_and_no_alarm_counts_interruptions() -> None:
    conditions = [
        choice["Condition"]
        for machine in _machines()
        for _, state in states(read(machine.path), "Choice")
        for choice in state["Choices"]
        if "ExitCode" in choice["Condition"]
    ]
    [rule] = _stack().of_type("AWS::Events::Rule").values()
    [exits, _] = rule["EventPattern"]["detail"]["$or"]

    assert conditions
    assert all(f'"ExitCode": ?{REFUSED}\\D' in condition for condition in conditions)
    assert exits == {"containers": {"exitCode": [{"anything-but": [0, INTERRUPTED]}]}}


@pytest.mark.parametrize("machine", [m for m in machines() if "runTask" in m.path.read_text()], ids=str)
def test_tasks_run_on_spot_first_and_then_on_demand_without_a_public_address(machine: Machine) -> None:
    arguments = [state["Arguments"] for _, state in _run_tasks(machine)]
    strategies = [found["CapacityProviderStrategy"] for found in arguments]
    networks = [found["NetworkConfiguration"]["AwsvpcConfiguration"] for found in arguments]

    assert strategies == [[{"CapacityProvider": name, "Weight": 1}] for name in ("FARGATE_SPOT", "FARGATE")]
    assert [network["AssignPublicIp"] for network in networks] == ["DISABLED"] * 2
    assert _without(arguments[0], "CapacityProviderStrategy") == _without(arguments[1], "CapacityProviderStrategy")


def test_all_attempts_of_a_task_end_before_the_machine_does() -> None:
    for machine in _machines():
        attempts = [state["TimeoutSeconds"] * (1 + _repeats(state)) for _, state in _run_tasks(machine)]

        assert sum(attempts) < read(machine.path)["TimeoutSeconds"]


@pytest.mark.parametrize(("name", "known"), [("process_unit", FUNCTION_MB), ("compact_unit", engines.FUNCTION_MB)])
def test_planners_know_the_memory_of_functions(name: str, known: int) -> None:
    [function] = [function for function in functions() if function.name == name]

    assert function.properties["MemorySize"] == known


def _words(text: str) -> list[str]:
    words: list[str] = json.loads(text)
    return words


def _command() -> list[str]:
    return _words(dict(instructions(DOCKERFILE.read_text()))["CMD"])


def _copied() -> list[Path]:
    """Return every file of ours that the last stage takes, relative to the repository."""
    sources = [
        rest.split()[0]
        for word, rest in instructions(DOCKERFILE.read_text())
        if word == "COPY" and not rest.startswith("--from") and "requirements" not in rest
    ]
    paths = [path for source in sources for path in ROOT.glob(source)]
    files = [file for path in paths for file in (path.rglob("*.py") if path.is_dir() else [path])]
    return sorted(file.relative_to(ROOT) for file in files)


def _stack() -> Stack:
    return next(stack for stack in children() if stack.name == "firewall_logs_batch")


def _task() -> Json:
    return _stack().of_type("AWS::ECS::TaskDefinition")["BatchTask"]


def _container() -> Json:
    [container] = _task()["ContainerDefinitions"]
    return dict(container)


def _variables() -> dict[str, Any]:
    return {entry["Name"]: entry["Value"] for entry in _container()["Environment"]}


def _machines() -> list[Machine]:
    return [machine for machine in machines() if _run_tasks(machine)]


def _run_tasks(*of: Machine) -> list[tuple[str, Json]]:
    return [
        (label, state)
        for machine in of or machines()
        for label, state in states(read(machine.path), "Task")
        if "ecs:runTask" in state["Resource"]
    ]


def _repeats(state: Json) -> int:
    """Return how often a task that came to run is run again."""
    return sum(retrier["MaxAttempts"] for retrier in state["Retry"] if "States.TaskFailed" in retrier["ErrorEquals"])


def _without(arguments: Json, name: str) -> Json:
    return {key: value for key, value in arguments.items() if key != name}
