"""`gatehouse plans` lists what remediations would change; `gatehouse approve` decides about one."""

import json
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any, Final

import typer

from cli.console import console, fail, sentences
from cli.run import Cloud, Env
from cli.target import NotDeployed, Target

_SECONDS: Final = 60
_COLUMNS: Final = ("plan", "made", "account", "region", "phases", "changes", "one-way", "requested by", "approval")

OnePlan = Annotated[str | None, typer.Argument(help="Hash of the plan to show.")]
Plan = Annotated[str, typer.Argument(help="Hash of the plan.")]
No = Annotated[bool, typer.Option("--no", help="Reject it: one no ends it.")]
Comment = Annotated[str, typer.Option(help="Why; it is kept as evidence.")]
Most = Annotated[int, typer.Option(min=1, help="How many, the latest first.")]


def register(app: typer.Typer) -> None:
    """Add the commands `plans` and `approve`."""
    app.command()(plans)
    app.command()(approve)


def plans(plan: OnePlan = None, *, most: Most = 20, env: Env = "local", cloud: Cloud = "dev") -> None:
    """List the plans of remediations, and whether they wait for approval; or show all that one of them would do."""
    from data_protection.errors import PlanMissing  # noqa: PLC0415 - heavy

    if plan is not None:
        with sentences(NotDeployed, PlanMissing):
            _show(Target.of(env, cloud), plan)
        return
    with sentences(NotDeployed):
        rows = _rows(Target.of(env, cloud), most)
    out = console(stderr=False)
    if not out.is_terminal:
        for row in rows:
            typer.echo("\t".join(row))
        return
    from rich.table import Table  # noqa: PLC0415 - heavy

    table = Table(*_COLUMNS)
    for row in rows:
        table.add_row(*row)
    out.print(table)


def approve(plan: Plan, *, no: No = False, comment: Comment = "", env: Env = "local", cloud: Cloud = "dev") -> None:
    """Approve a plan, or reject it; who does is whom IAM knows by your credentials."""
    with sentences(NotDeployed):
        status, answer = decide(Target.of(env, cloud), plan, approves=not no, comment=comment)
    if status != 200:  # noqa: PLR2004 - HTTP's OK
        fail(str(answer.get("why") or answer.get("Message") or answer))
    more = f"; {answer['missing']} more must approve" if answer["outcome"] == "open" else ""
    console().print(f"[good]✓[/good] The plan {plan} is {answer['outcome']}{more}.")


def decide(target: Target, plan: str, *, approves: bool, comment: str = "") -> tuple[int, dict[str, Any]]:
    """Say what the caller decides, and return status and body of the answer.

    The embedded cloud authorises nobody at a function's URL: there the function is called with the event that the URL
    would have made of the caller.
    """
    body = json.dumps({"plan": plan, "approves": approves, "comment": comment})
    if target.cloud is None:
        return _call_url(target.output("DecideApprovalUrl"), body)
    caller = target.client("sts").get_caller_identity()["Arn"]
    event = {"requestContext": {"authorizer": {"iam": {"userArn": caller}}}, "body": body, "isBase64Encoded": False}
    called = target.client("lambda").invoke(
        FunctionName=f"{target.prefix}-data-protection-decide-approval", Payload=json.dumps(event).encode()
    )
    answer = json.loads(called["Payload"].read())
    if "FunctionError" in called:
        return 500, {"why": f"The function failed: {answer.get('errorMessage', answer)}"}
    return answer["statusCode"], json.loads(answer["body"])


def _call_url(url: str, body: str) -> tuple[int, dict[str, Any]]:
    """Post a body to a function's URL, signed by the caller's credentials."""
    import boto3  # noqa: PLC0415 - heavy
    from botocore.auth import SigV4Auth  # noqa: PLC0415
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415
    from botocore.exceptions import NoCredentialsError  # noqa: PLC0415
    from botocore.httpsession import URLLib3Session  # noqa: PLC0415

    credentials = boto3.Session().get_credentials()
    if credentials is None:
        raise NoCredentialsError
    # https://<id>.lambda-url.<region>.on.aws/
    region = url.split(".lambda-url.")[1].split(".", maxsplit=1)[0]
    request = AWSRequest("POST", url, data=body, headers={"content-type": "application/json"})
    SigV4Auth(credentials.get_frozen_credentials(), "lambda", region).add_auth(request)
    answer = URLLib3Session(timeout=_SECONDS).send(request.prepare())
    try:
        return answer.status_code, json.loads(answer.text)
    except json.JSONDecodeError:
        return answer.status_code, {"why": f"The function's URL answered {answer.status_code}: {answer.text[:500]}"}


def _show(target: Target, plan_hash: str) -> None:
    from data_protection.adapters.plans import PlanReader  # noqa: PLC0415 - heavy

    plan = PlanReader(target.client("s3"), target.output("LakeBucketName")).load(plan_hash)
    for step in plan.steps:
        change = step.change
        typer.echo(f"{step.id}\n  {change.title}, as now: {step.reason}")
        typer.echo(f"  {change.call}")
        undone = f"undone by {change.inverse}" if change.inverse else "nothing undoes it"
        typer.echo(f"  class {change.reversibility}: {undone}")
        for said in filter(None, (change.risk, step.risk, change.cost)):
            typer.echo(f"  {said}")
    for one in plan.contradictions:
        typer.echo(f"{one.conflict} of {one.arn}: {one.sentence} {one.ways_out}")
    for omission in plan.omissions:
        typer.echo(f"{omission.check} of {omission.arn} is left out ({omission.why}): {omission.reason}")


def _rows(target: Target, most: int) -> list[tuple[str, ...]]:
    from data_protection.adapters.approvals import ApprovalReader  # noqa: PLC0415 - heavy
    from data_protection.adapters.plans import PlanReader, registered  # noqa: PLC0415
    from data_protection.errors import PlanMissing  # noqa: PLC0415

    dynamodb, table = target.client("dynamodb"), target.output("ProtectionRemediationsTableName")
    reader, approvals = (
        PlanReader(target.client("s3"), target.output("LakeBucketName")),
        ApprovalReader(dynamodb, table),
    )
    rows: list[tuple[str, ...]] = []
    for entry in islice(registered(dynamodb, table), most):
        try:
            plan = reader.load(entry.plan)
        except PlanMissing as missing:
            rows.append((entry.plan, f"{entry.time:%F %H:%M}", "", "", "", "", "", "", str(missing)))
            continue
        phases, one_way = ", ".join(map(str, plan.phases)), str(len(plan.one_way))
        rows.append(
            (
                entry.plan,
                f"{entry.time:%F %H:%M}",
                plan.account,
                plan.region,
                phases,
                str(len(plan.steps)),
                one_way,
                plan.requested_by,
                _approval(approvals, entry.plan, plan.approvers),
            )
        )
    return rows


def _approval(approvals: Any, plan: str, needed: int) -> str:
    from data_protection.errors import PlanMissing  # noqa: PLC0415 - heavy

    try:
        approval = approvals.find(plan).approval
    except PlanMissing:
        return "not asked for" if needed else "not needed"
    if approval.outcome is not None:
        return "approved" if approval.outcome else "rejected"
    if datetime.now(UTC) >= approval.expires:
        return "expired"
    return f"{len(approval.decisions)} of {approval.needed}, until {approval.expires:%F %H:%M}"
