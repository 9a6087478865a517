"""Reading a feed's raw objects in another account: the role, and how little of it a feed may use. Pure."""

import json
import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

# What stands for itself in a policy only within `${}`:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
_SPECIAL = re.compile(r"[$*?]")


class Access(BaseModel):
    """The role to assume in the account that has a feed's bucket.

    Attributes:
        role_arn: The role.
        external_id: What its trust policy asks for. AWS does not count it as a secret; it shows nowhere all the same.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    # https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    role_arn: Annotated[
        str, Field(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[0-9A-Za-z_+=,.@/-]+$", max_length=576)
    ]
    external_id: Annotated[str, Field(pattern=r"^[0-9A-Za-z_+=,.@:/-]+$", min_length=2, max_length=1224, repr=False)]


def session_policy(access: Access, bucket: str, prefix: str) -> str:
    """Return the policy of the sessions of a feed: whatever the role allows, they read and list its prefix only.

    Args:
        access: Whose sessions.
        bucket: The feed's bucket.
        prefix: The feed's prefix.
    """
    bucket_arn = f"arn:{access.role_arn.split(':')[1]}:s3:::{bucket}"
    below = f"{_SPECIAL.sub(_literal, prefix)}*"
    statements = [
        {
            "Effect": "Allow",
            "Action": ["s3:ListBucket", "s3:ListBucketVersions"],
            "Resource": bucket_arn,
            "Condition": {"StringLike": {"s3:prefix": below}},
        },
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:GetObjectVersion"],
            "Resource": f"{bucket_arn}/{below}",
        },
        {
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            # Which key is the role's matter.
            "Resource": "*",
            "Condition": {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}},
        },
    ]
    # STS takes 2,048 characters.
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))


def session_name(asker: str, feed: str) -> str:
    """Return the name of the sessions of a feed, which the source account's CloudTrail shows.

    Args:
        asker: Name of the function that reads.
        feed: Name of the feed; cut where both are too long for the 64 characters that STS takes.
    """
    return f"{asker}@{feed}"[:64]


def _literal(special: re.Match[str]) -> str:
    return f"${{{special[0]}}}"
