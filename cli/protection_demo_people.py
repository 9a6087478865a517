"""Who the demo has: one asks for changes, two approve them, and one does what the standard forbids."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from cli.target import Target
    from local.supervisor import EmbeddedCloud

ASKS: Final = "alice"
APPROVES: Final = ("bob", "carol")
MEDDLES: Final = "dave"


@dataclass(frozen=True)
class Person:
    """A user of the account.

    Attributes:
        arn: As STS names them.
        target: Gatehouse, by their own key.
    """

    arn: str
    target: "Target"

    @property
    def client(self) -> Callable[[str], Any]:
        """Makes a client of a service, with their key."""
        return self.target.client


def people(cloud: "EmbeddedCloud") -> dict[str, Person]:
    """Make the users, who may do anything, and return them by name."""
    from cli.target import LOCAL, Target  # noqa: PLC0415 - heavy
    from local import endpoints  # noqa: PLC0415

    iam = cloud.client("iam")
    may_all = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [may_all]})
    found = {}
    for name in (ASKS, *APPROVES, MEDDLES):
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
        client = partial(endpoints.client, endpoint=cloud.endpoint, account=key, region=cloud.state.region)
        target = Target(LOCAL, client, cloud.state.name)
        found[name] = Person(client("sts").get_caller_identity()["Arn"], target)
    return found
