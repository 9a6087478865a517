"""The fleet in the Parameter Store, and what acts in each of its estates."""

import time
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, Final

from botocore.exceptions import ClientError

from database_logs.discovery.fleet import Fleet, parse_fleet
from database_logs.errors import AccessRefused, ApiFailed
from kernel import aws

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_ssm import SSMClient

    from database_logs.discovery.fleet import Estate

# The Parameter Store answers 40 questions a second, and collection would ask one for each file.
# https://docs.aws.amazon.com/general/latest/gr/ssm.html
_KEPT_SECONDS: Final = 60.0
_SESSION: Final = "gatehouse-database-logs"
_NOT_ASSUMED: Final = frozenset({"AccessDenied", "RegionDisabledException", "ValidationError"})


class FleetParameter:
    """The parameter that holds the fleet."""

    IAM: ClassVar = frozenset({"ssm:GetParameter"})

    def __init__(self, ssm: "SSMClient", name: str) -> None:
        self._ssm = ssm
        self._name = name

    def load(self) -> Fleet:
        """Return the fleet as it was within the last minute.

        Raises:
            FleetInvalid: The sentence names the field.
        """
        return parse_fleet(_value(self._ssm, self._name, int(time.monotonic() / _KEPT_SECONDS)))


@lru_cache(maxsize=1)
def _value(ssm: "SSMClient", name: str, _minute: int) -> str:
    return ssm.get_parameter(Name=name)["Parameter"]["Value"]


class EstateSessions:
    """The session of each estate: the function's own, or one in the estate's role, kept and renewed."""

    IAM: ClassVar = frozenset({"sts:AssumeRole"})

    def of(self, estate: "Estate") -> "boto3.Session":
        """Return the session.

        Raises:
            AccessRefused: STS refuses the role.
            ApiFailed: It fails.
        """
        if estate.role_arn is None:
            return aws.session()
        try:
            return aws.session_in_role(estate.role_arn, estate.external_id, _SESSION)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code not in _NOT_ASSUMED:
                raise ApiFailed(f"STS fails at the role {estate.role_arn}: {error}") from error
            raise AccessRefused(
                f"STS refuses the role {estate.role_arn} ({code}). Look whether it exists, and whether its trust "
                "policy names this account and the fleet's external_id."
            ) from error
