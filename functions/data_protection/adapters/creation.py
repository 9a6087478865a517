"""Makes resources that are asked for: reads of just these, calls that recipes declare, and what a run leaves behind."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from importlib import resources
from typing import TYPE_CHECKING, Any, ClassVar

from botocore.exceptions import ClientError, ParamValidationError

from data_protection.adapters.refusals import Refusal
from data_protection.adapters.snapshots import Snapshots
from data_protection.changes import Call, digest
from data_protection.checks.catalogue import catalogue
from data_protection.creation.kinds.secrets import GENERATE
from data_protection.creation.outlines import Standing
from data_protection.creation.recipes import RECIPES
from data_protection.creation.requests import Request
from data_protection.errors import CreationDelayed, CreationMissing, CreationRefused
from data_protection.locations import creation_prefix, request_key
from data_protection.reads.kms import KEY
from data_protection.reads.listings import KEYS
from data_protection.resources import Kind, Place, Resource
from kernel import aws
from kernel.objects import Bucket

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.client import BaseClient
    from mypy_boto3_s3 import S3Client


def own_client(service: str, region: str) -> "BaseClient":
    """Return a client that acts as the function itself: resources are made in its own account alone."""
    return aws.client(aws.session(), service, region)


class CreationSnapshots(Snapshots):
    """Takes snapshots of what requests ask for."""

    IAM: ClassVar = frozenset(
        action
        for recipe in RECIPES.values()
        for read in (
            KEY,
            KEYS,
            *recipe.reads,
            *recipe.further,
            *(read for check in recipe.checks for read in (*catalogue()[check].reads, *catalogue()[check].further)),
        )
        for action in read.actions
    )


class CreationCalls:
    """Makes calls that recipes declare, and no other.

    Args:
        client: Returns the client of a service in a region.
    """

    IAM: ClassVar = frozenset(action for recipe in RECIPES.values() for action in recipe.actions)

    def __init__(self, client: "Callable[[str, str], BaseClient]") -> None:
        self._client = client

    def make(self, kind: Kind, call: Call, region: str) -> str:
        """Make a call and return AWS' request id.

        Raises:
            CreationRefused: The kind's recipe does not declare the call, or AWS says that it can never work.
            CreationDelayed: AWS does not take it now, or the resource is there already.
            ClientError: AWS throttles or fails.
        """
        if f"{call.service}:{call.operation}" not in RECIPES[kind].operations:
            raise CreationRefused(f"{kind} may not be made by {call.service}:{call.operation}: no recipe declares it.")
        client = self._client(call.service, region)
        try:
            answer = getattr(client, call.operation)(**_with_value(client, call.parameters))
        except ParamValidationError as error:
            # Not what botocore says, which may quote a generated value.
            raise CreationRefused(f"{call} is no call that AWS knows.") from error
        except ClientError as error:
            raise _meaning(call, error) from error
        request_id: str = answer["ResponseMetadata"].get("RequestId", "")
        return request_id


def _with_value(client: Any, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return parameters with a generated value in place of what says how to generate it.

    Secrets Manager makes the value, which passes from one call to the other and is kept nowhere else.
    """
    if GENERATE not in parameters:
        return parameters
    kept = {name: value for name, value in parameters.items() if name != GENERATE}
    asked = dict(parameters[GENERATE])
    username = asked.pop("username", None)
    password = client.get_random_password(**asked)["RandomPassword"]
    return {
        **kept,
        "SecretString": password if username is None else json.dumps({"username": username, "password": password}),
    }


def _meaning(call: Call, error: ClientError) -> Exception:
    refusal = Refusal(error)
    if refusal.is_busy:
        return CreationDelayed(f"AWS does not take {call.service}:{call.operation} now: {error}")
    if refusal.is_transient:
        return error
    return CreationRefused(f"AWS refuses {call.service}:{call.operation}: {error}")


class CreationStore:
    """Requests, and what runs keep of them: what was asked and planned, each call, and the report."""

    IAM: ClassVar = frozenset({"s3:GetObject", "s3:ListBucket", "s3:PutObject", "kms:Decrypt", "kms:GenerateDataKey"})

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def find(self, name: str) -> str:
        """Return the text of a request: the operator's own, or the shipped one.

        Raises:
            CreationMissing: There is none of that name; the sentence says where one belongs.
        """
        own = self._bucket.get(request_key(name))
        if own is not None:
            return own.decode()
        shipped = resources.files("data_protection.creation.requests_shipped") / f"{name}.yaml"
        if shipped.is_file():
            return shipped.read_text()
        raise CreationMissing(
            f"There is no request {name}: put one at s3://{self._bucket.name}/{request_key(name)}, or name one that is "
            "shipped."
        )

    def keep_plan(self, run: str, day: date, request: Request, plan: Sequence[Mapping[str, Any]]) -> str:
        """Keep what is asked, as it was then, and what would be done; return the key of the plan.

        Planned again by the same run, the request as it is now counts, as nothing has begun.
        """
        prefix = creation_prefix(run, day)
        self._bucket.put(f"{prefix}request.json", request.model_dump_json(indent=1).encode(), "application/json")
        return self._write(f"{prefix}plan.json", plan)

    def planned(self, run: str, day: date) -> Request:
        """Return the request that a run has planned.

        Raises:
            CreationMissing: It has planned none.
        """
        return Request.model_validate_json(self._planned(run, day, "request.json"))

    def _planned(self, run: str, day: date, name: str) -> bytes:
        body = self._bucket.get(f"{creation_prefix(run, day)}{name}")
        if body is None:
            raise CreationMissing(f"The run {run} of {day} has planned nothing.")
        return body

    def record(self, run: str, day: date, resource: Resource, call: Call, *, request_id: str, at: datetime) -> None:
        """Keep that a call was made, once it was."""
        told = {"arn": resource.arn, "call": call.model_dump(), "request_id": request_id, "at": at.isoformat()}
        name = f"{at.strftime('%H%M%S.%f')}-{call.operation}.json"
        self._write(f"{creation_prefix(run, day)}calls/{resource.kind}/{resource.name}/{name}", told)

    def to_make(self, run: str, day: date, place: Place) -> frozenset[Resource]:
        """Return the resources that were not there as a whole when a run was planned.

        Raises:
            CreationMissing: It has planned nothing.
        """
        plan = json.loads(self._planned(run, day, "plan.json"))
        return frozenset(
            Resource(Kind(one["kind"]), place, one["name"]) for one in plan if Standing(one["standing"]).is_to_make
        )

    def records(self, run: str, day: date) -> list[dict[str, Any]]:
        """Return the records of the calls that a run made, by resource and time."""
        keys = self._bucket.keys(f"{creation_prefix(run, day)}calls/")
        return [json.loads(self._bucket.get(key) or b"{}") for key, _ in keys]

    def report_key(self, run: str, day: date) -> str:
        """Return where the report of a run is kept."""
        return f"{creation_prefix(run, day)}report.json"

    def keep_report(self, run: str, day: date, report: Mapping[str, Any]) -> None:
        """Keep the report of a run; made again, it replaces the one before."""
        self._write(self.report_key(run, day), report)

    def _write(self, key: str, value: Any) -> str:
        self._bucket.put(key, json.dumps(value, indent=1, sort_keys=True).encode(), "application/json")
        return key


class CreationEvidence:
    """Reports in the bucket of evidence, where nobody can change them."""

    IAM: ClassVar = frozenset({"s3:GetObject", "s3:PutObject", "kms:Decrypt", "kms:GenerateDataKey"})

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def keep(self, run: str, day: date, report: Mapping[str, Any]) -> str:
        """Keep a report under its own hash, so that a judgement made again is kept beside the one before."""
        key = f"{creation_prefix(run, day)}{digest(report)}.json"
        self._bucket.put_once(key, json.dumps(report, indent=1, sort_keys=True).encode(), "application/json")
        return key
