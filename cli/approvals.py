"""`gatehouse approve` decides about a plan."""

import json
from typing import Annotated, Any, Final

import typer

from cli.console import console, fail, sentences
from cli.hashes import HashUnknown
from cli.plans import plan_hash
from cli.run import As, Cloud, Env
from cli.target import NotDeployed, Target

_SECONDS: Final = 60

Plan = Annotated[str, typer.Argument(help="Hash of the plan, or its first 8 digits or more.")]
No = Annotated[bool, typer.Option("--no", help="Reject it: one no ends it.")]
Comment = Annotated[str, typer.Option(help="Why; it is kept as evidence.")]


def register(app: typer.Typer) -> None:
    """Add the command `approve`."""
    app.command()(approve)


def approve(
    plan: Plan,
    *,
    no: No = False,
    comment: Comment = "",
    env: Env = "local",
    cloud: Cloud = "dev",
    user: As = None,
) -> None:
    """Approve a plan, or reject it; who does is whom IAM knows by your credentials."""
    with sentences(NotDeployed, HashUnknown):
        target = Target.of(env, cloud, user)
        plan = plan_hash(target, plan)
        status, answer = decide(target, plan, approves=not no, comment=comment)
    if status != 200:  # noqa: PLR2004 - HTTP's OK
        fail(str(answer.get("why") or answer.get("Message") or answer))
    said = f"The plan {plan} is {answer['outcome']}."
    if answer["outcome"] == "open":  # a no would have ended it
        said = f"Your yes to the plan {plan} is counted; {answer['missing']} more must approve."
    console().print(f"[good]✓[/good] {said}")


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
