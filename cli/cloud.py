"""`gatehouse up`, `down`, `status`, `logs`: the embedded cloud. `build`, `deploy`: AWS."""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cli.console import console, fail, sentences
from cli.target import LOCAL, NotDeployed, Target
from kernel.pages.words import counted

if TYPE_CHECKING:
    from local.deploy import Deployment
    from local.supervisor import EmbeddedCloud

Name = Annotated[str, typer.Option("--cloud", help="Which embedded cloud: each has a port and data of its own.")]
Env = Annotated[str, typer.Option("--env", help="An environment of samconfig.toml: dev, prod.")]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--parameter", help="Of the template, as DataProtection=enabled; beside those of samconfig.toml."),
]

_FOLLOW_SECONDS: Final = 1.0
_TASK_LOGS = "/aws/ecs/"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (up, down, status, logs, build, deploy):
        app.command()(command)


def up(cloud: Name = "dev", parameter: Parameters = None) -> None:
    """Start the embedded cloud and deploy the real template into it, afresh."""
    from local.build import TEMPLATE  # noqa: PLC0415 - heavy
    from local.deploy import deploy as deploy_locally  # noqa: PLC0415 - heavy
    from local.parameters import parsed  # noqa: PLC0415
    from local.supervisor import EmbeddedCloud  # noqa: PLC0415 - heavy
    from local.template import load  # noqa: PLC0415 - heavy

    out = console()
    with sentences(), out.status("") as spinner:
        # Before anything that runs is forgotten.
        parameters = parsed(parameter or (), load(TEMPLATE)["Parameters"])

        def progress(line: str) -> None:
            if line.endswith("…"):
                spinner.update(line)
            if not out.is_terminal or not line.endswith("…"):
                out.print(line, markup=False)

        if running := EmbeddedCloud.find(cloud):
            progress(f"port {running.state.port}: running already; everything in it is forgotten and deployed again")
            running.reset()
        else:
            progress("starting the embedded cloud …")
            running = EmbeddedCloud.start(cloud, detached=True)
            progress(f"port {running.state.port}: up")
        deployment = deploy_locally(running, parameters=parameters, on_progress=progress)
        progress(_listed(cloud, deployment))
    _invite(running, deployment)


def down(
    cloud: Name = "dev",
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing if there is nothing to stop.")] = False,  # noqa: FBT002
) -> None:
    """Stop the embedded cloud and forget what is in it."""
    from local.supervisor import EmbeddedCloud  # noqa: PLC0415 - heavy

    with sentences():
        if running := EmbeddedCloud.find(cloud):
            running.stop()
            console().print(f"stopped: '{cloud}' on port {running.state.port}", markup=False)
        elif not quiet:
            console().print(f"nothing to stop: no embedded cloud '{cloud}' runs in this checkout", markup=False)


def status(cloud: Name = "dev") -> None:
    """Say what runs in the embedded cloud, and where results lie in it."""
    from rich.table import Table  # noqa: PLC0415 - heavy

    from local.supervisor import EmbeddedCloud  # noqa: PLC0415 - heavy

    with sentences():
        running = EmbeddedCloud.get(cloud)
        table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
        table.add_column(style="soft")
        table.add_column()
        uptime = timedelta(seconds=int(time.time() - running.state.started_at))
        table.add_row("server", f"{running.endpoint}, process {running.state.pid}, up {uptime}")
        table.add_row("log", f".local/{cloud}/server.log")
        for title, rows in (*_results(Target(LOCAL, running.client, cloud)), *_contents(running)):
            for number, row in enumerate(rows or ["none"]):
                table.add_row("" if number else title, row)
        console(stderr=False).print(table)


def logs(
    name: Annotated[
        str | None, typer.Argument(help="A function, task or state machine, or a part of its name.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,  # noqa: FBT002
    cloud: Name = "dev",
) -> None:
    """Show what a function or a task on Fargate wrote, or what a state machine's executions did."""
    from local.supervisor import EmbeddedCloud  # noqa: PLC0415 - heavy

    out = console(stderr=False)
    with sentences():
        running = EmbeddedCloud.get(cloud)
        groups, machines = _groups(running), _machines(running)
        known = [*groups, *machines]
        chosen = [full for full in known if name is None or name.lower() in full.lower()]
        if not chosen:
            fail(f"Nothing in '{cloud}' is called '{name}'. There are: {', '.join(known) or 'no functions at all'}.")
        seen: set[str] = set()
        try:
            while True:
                lines = [
                    *(line for full in chosen if full in groups for line in _written(running, full, groups[full])),
                    *(line for full in chosen if full in machines for line in _history(running, machines[full])),
                ]
                for identity, _, line in sorted(lines, key=lambda item: item[1]):
                    if identity not in seen:
                        seen.add(identity)
                        out.print(line, markup=False)
                if not follow:
                    if not seen:
                        console().print("nothing yet: none of these has run", style="soft")
                    return
                time.sleep(_FOLLOW_SECONDS)
        except KeyboardInterrupt:
            return


def build(env: Env = "dev") -> None:
    """Run `sam build` for AWS, with the locked wheels of the right architecture in the layers."""
    from local.build import build_for_aws  # noqa: PLC0415 - heavy

    with sentences():
        build_for_aws(env)


def deploy(env: Env = "dev") -> None:
    """Run `sam deploy` of what was built, with your own AWS credentials."""
    from local.deploy import deploy_to_aws  # noqa: PLC0415 - heavy

    with sentences():
        deploy_to_aws(env)


def _listed(cloud: str, deployment: "Deployment") -> str:
    """Write in what the embedded cloud differs from the template, a line each, and return how many lines and where."""
    from local.paths import STATE  # noqa: PLC0415 - beside what is heavy

    path = STATE / cloud / "deployment.log"
    path.write_text("".join(f"{line}\n" for line in (*deployment.skipped, *deployment.applied)), "utf-8")
    skipped, applied = counted(len(deployment.skipped), "resource"), counted(len(deployment.applied), "setting")
    return f"{skipped} skipped locally, {applied} applied after deploy: .local/{cloud}/{path.name} lists them"


def _invite(running: "EmbeddedCloud", deployment: "Deployment") -> None:
    seconds, out = sum(deployment.seconds.values()), console()
    of_it = "" if running.state.name == "dev" else f" --cloud {running.state.name}"
    out.print(f"[good]✓[/good] deployed in {seconds:.0f} s: {running.endpoint}, region {running.state.region}")
    out.print(f"  gatehouse status{of_it} says what is there, and gatehouse run{of_it} starts it.", style="soft")
    out.print(
        "  docs/data_protection.md, docs/database_logs.md and docs/firewall_logs.md say how to begin.", style="soft"
    )


def _contents(running: "EmbeddedCloud") -> Iterator[tuple[str, list[str]]]:
    stacks = running.client("cloudformation").describe_stacks()["Stacks"]
    yield "stacks", [f"{stack['StackName']}  {stack['StackStatus']}" for stack in stacks]
    yield "machines", list(_machines(running))
    yield "functions", _functions(running)


def _functions(running: "EmbeddedCloud") -> list[str]:
    pages = running.client("lambda").get_paginator("list_functions").paginate()
    return sorted(function["FunctionName"] for page in pages for function in page["Functions"])


def _results(target: Target) -> Iterator[tuple[str, list[str]]]:
    """Yield which buckets hold results, with the commands that read them; nothing before Gatehouse is deployed."""
    try:
        lake = target.output("LakeBucketName")
    except NotDeployed:
        return
    outputs, at = target.outputs, target.cloud_option
    if "AssessAccountArn" not in outputs:
        yield "lake", [lake, f"gatehouse query SQL{at}"]
        yield "data_protection", ["disabled", f"gatehouse up --parameter DataProtection=enabled{at}"]
        return
    yield "lake", [lake, f"gatehouse results{at}", f"gatehouse query SQL{at}"]
    yield "evidence", [outputs["EvidenceBucketName"], f"gatehouse plans{at}", f"gatehouse evidence HASH{at}"]
    yield "data_protection", ["enabled", f"gatehouse run assess_account{at}", f"gatehouse assessments{at}"]


def _machines(running: "EmbeddedCloud") -> dict[str, str]:
    pages = running.client("stepfunctions").get_paginator("list_state_machines").paginate()
    found = [machine for page in pages for machine in page["stateMachines"]]
    return {machine["name"]: machine["stateMachineArn"] for machine in sorted(found, key=lambda m: m["name"])}


def _groups(running: "EmbeddedCloud") -> dict[str, str]:
    """Return the log group of each function, and of each kind of task on Fargate."""
    client = running.client("lambda")
    groups = {}
    for function in _functions(running):
        configured = client.get_function_configuration(FunctionName=function)
        groups[function] = configured.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{function}"
    pages = running.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=_TASK_LOGS)
    names = [found["logGroupName"] for page in pages for found in page["logGroups"]]
    return groups | {name.removeprefix(_TASK_LOGS): name for name in names}


def _written(running: "EmbeddedCloud", name: str, group: str) -> Iterator[tuple[str, float, str]]:
    """Yield identity, time and text of every line in a log group."""
    client = running.client("logs")
    written: Counter[str] = Counter()  # MiniStack gives events no identity; a stream only grows
    try:
        for page in client.get_paginator("filter_log_events").paginate(logGroupName=group):
            for event in page["events"]:
                at = event["timestamp"] / 1000
                stream = event["logStreamName"]
                written[stream] += 1
                yield f"{stream}/{written[stream]}", at, f"{_clock(at)} {name} {event['message'].rstrip()}"
    except client.exceptions.ResourceNotFoundException:
        return  # it has not run yet


def _history(running: "EmbeddedCloud", machine: str) -> Iterator[tuple[str, float, str]]:
    """Yield identity, time and text of every event of a machine's executions."""
    client = running.client("stepfunctions")
    for page in client.get_paginator("list_executions").paginate(stateMachineArn=machine):
        for execution in page["executions"]:
            arn = execution["executionArn"]
            for history in client.get_paginator("get_execution_history").paginate(executionArn=arn):
                for event in history["events"]:
                    at = event["timestamp"].timestamp()
                    what = f"{_clock(at)} {execution['name']} {event['type']} {_detail(event)}".rstrip()
                    yield f"{arn}/{event['id']}", at, what


def _detail(event: dict[str, Any]) -> str:
    for key, details in event.items():
        if key.endswith("EventDetails"):
            named = details.get("name") or details.get("resource") or ""
            failed = f"{details['error']}: {details.get('cause', '')}" if details.get("error") else ""
            return f"{named} {failed}".strip()
    return ""


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S.%f")[:-3]
