"""Who acts in an embedded cloud, so that one person can try what takes two."""

import json
import os
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import boto3
from botocore.exceptions import ClientError

from local import endpoints

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.supervisor import EmbeddedCloud

_POLICY: Final = "all"
_MAY_ALL: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


def acting(cloud: "EmbeddedCloud", name: str | None = None) -> "Callable[[str], Any]":
    """Return what makes clients of a service that act as somebody.

    Args:
        cloud: Where.
        name: Of a user, who may do anything, and is made where there is none. Without, it is whoever the caller's own
            credentials stand for, where the environment says that these are for this cloud; else root.
    """
    if name is None:
        if os.environ.get("AWS_ENDPOINT_URL") != cloud.endpoint:
            return cloud.client
        session = boto3.Session()
        return partial(endpoints.client, endpoint=cloud.endpoint, region=cloud.state.region, session=session)
    key, secret = _access_key(cloud, name)
    session = boto3.Session(aws_access_key_id=key, aws_secret_access_key=secret)
    return partial(endpoints.client, endpoint=cloud.endpoint, region=cloud.state.region, session=session)


def _access_key(cloud: "EmbeddedCloud", name: str) -> tuple[str, str]:
    """Return a user's access key and its secret, which IAM tells but once: it is kept beside the cloud."""
    iam, kept = cloud.client("iam"), cloud.folder / "users" / f"{quote(name, safe='')}.json"
    try:
        iam.create_user(UserName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "EntityAlreadyExists":
            raise
    iam.put_user_policy(UserName=name, PolicyName=_POLICY, PolicyDocument=json.dumps(_MAY_ALL))
    there = [each["AccessKeyId"] for each in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]]
    if kept.exists() and (found := json.loads(kept.read_text()))["AccessKeyId"] in there:
        return found["AccessKeyId"], found["SecretAccessKey"]
    for lost in there:
        iam.delete_access_key(UserName=name, AccessKeyId=lost)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(json.dumps({part: made[part] for part in ("AccessKeyId", "SecretAccessKey")}))
    return made["AccessKeyId"], made["SecretAccessKey"]
