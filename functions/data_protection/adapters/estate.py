"""The estate in the Parameter Store, and the clients that act in each of its accounts."""

from typing import TYPE_CHECKING, ClassVar, Final, cast

from botocore.exceptions import ClientError

from data_protection.errors import AccessRefused
from data_protection.estate import Account, Estate, Role, parse_estate
from kernel import aws

if TYPE_CHECKING:
    import boto3
    from botocore.client import BaseClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_ssm import SSMClient

_SESSION: Final = "gatehouse-data-protection"
_REFUSALS: Final = frozenset({"AccessDenied", "RegionDisabledException", "ValidationError"})


class EstateParameter:
    """The parameter that holds the estate."""

    IAM: ClassVar = frozenset({"ssm:GetParameter"})

    def __init__(self, ssm: "SSMClient", name: str) -> None:
        self._ssm = ssm
        self._name = name

    def load(self, own_account: str, own_region: str) -> Estate:
        """Return the estate.

        Raises:
            EstateInvalid: The sentence names the field.
        """
        document = self._ssm.get_parameter(Name=self._name)["Parameter"]["Value"]
        return parse_estate(document, own_account, own_region)


class Clients:
    """Clients of one account, in a role of it or in the function's own.

    Args:
        role: None for the function's own.
    """

    IAM: ClassVar = frozenset({"sts:AssumeRole"})

    def __init__(self, role: Role | None) -> None:
        self._session = aws.session() if role is None else _assume(role)

    @classmethod
    def reading(cls, account: Account) -> "Clients":
        """Return the clients that assess an account.

        Raises:
            AccessRefused: STS refuses the role.
        """
        return cls(account.assess)

    @classmethod
    def changing(cls, account: Account, phase: int, own_account: str) -> "Clients | None":
        """Return the clients that change an account in a phase of the standard; None where that is not wanted.

        The own account needs no role: the function's own may change it.

        Raises:
            AccessRefused: STS refuses the role.
        """
        role = account.remediate.get(phase)
        return None if role is None and account.account != own_account else cls(role)

    def of(self, service: str, region: str) -> "BaseClient":
        """Return the client of a service in a region."""
        return aws.client(self._session, service, region)

    def s3(self, region: str) -> "S3Client":
        """Return the S3 client; it finds its way to buckets of other regions by itself."""
        return cast("S3Client", self.of("s3", region))

    def cloudwatch(self, region: str) -> "CloudWatchClient":
        """Return the client of CloudWatch in a region."""
        return cast("CloudWatchClient", self.of("cloudwatch", region))


def _assume(role: Role) -> "boto3.Session":
    try:
        return aws.session_in_role(role.arn, role.external_id, _SESSION)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in _REFUSALS:
            raise
        raise AccessRefused(
            f"STS refuses the role {role.arn} ({code}). Look whether it exists, and whether its trust policy names "
            "this account and the estate's external_id."
        ) from error
