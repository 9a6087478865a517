"""Who acts in an embedded cloud, so that one person can try what takes two."""

import json
import os
from functools import partial
from typing import TYPE_CHECKING, Any, Final

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
    key = _access_key(cloud.client("iam"), name)
    # Of this server, an access key that IAM has given out is the user's, whatever the secret.
    return partial(endpoints.client, endpoint=cloud.endpoint, account=key, region=cloud.state.region)


def _access_key(iam: Any, name: str) -> str:
    try:
        iam.create_user(UserName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "EntityAlreadyExists":
            raise
    iam.put_user_policy(UserName=name, PolicyName=_POLICY, PolicyDocument=json.dumps(_MAY_ALL))
    keys = iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
    return str((keys[0] if keys else iam.create_access_key(UserName=name)["AccessKey"])["AccessKeyId"])
