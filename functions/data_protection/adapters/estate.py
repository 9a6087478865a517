"""The estate in the lake bucket, and the clients that act in each of its accounts."""

from typing import TYPE_CHECKING, ClassVar, Final, cast

from botocore.exceptions import ClientError

from data_protection.errors import AccessRefused, EstateInvalid
from data_protection.estate import Account, Estate, Role, own_estate, parse_estate
from data_protection.locations import ESTATE_KEY
from kernel import aws
from kernel.objects import Bucket

if TYPE_CHECKING:
    import boto3
    from botocore.client import BaseClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_s3 import S3Client

SESSION: Final = "gatehouse-data-protection"
_REFUSALS: Final = frozenset({"AccessDenied", "RegionDisabledException", "ValidationError"})


class EstateStore:
    """The estate in the lake bucket, which no release writes."""

    IAM: ClassVar = frozenset({"s3:GetObject", "s3:ListBucket", "kms:Decrypt"})

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def load(self, own_account: str, own_region: str) -> Estate:
        """Return the estate; without a document, the own account in the own region.

        Raises:
            EstateInvalid: The sentence names the field.
        """
        return self.find(own_account, own_region) or own_estate(own_account, own_region)

    def find(self, own_account: str, own_region: str) -> Estate | None:
        """Return the estate of the document, or None where there is none.

        Raises:
            EstateInvalid: The sentence names the field.
        """
        document = self._bucket.get(ESTATE_KEY)
        return None if document is None else parse_estate(document, own_account, own_region, _regions(own_region))

    def require(self, own_account: str, own_region: str) -> Estate:
        """Return the estate of the document.

        Raises:
            EstateInvalid: There is none, or the sentence names the field.
        """
        estate = self.find(own_account, own_region)
        if estate is None:
            raise EstateInvalid(
                f"s3://{self._bucket.name}/{ESTATE_KEY} is not there, though roles of other accounts are given: put "
                "the estate there, or {} for this account alone."
            )
        return estate


class Clients:
    """Clients of one account, in a role of it or in the function's own.

    Args:
        role: None for the function's own.
        session: Name of the session in the role, which CloudTrail there tells with every call: the hash of the plan or
            simulation that is applied.
    """

    IAM: ClassVar = frozenset({"sts:AssumeRole"})

    def __init__(self, role: Role | None, session: str = SESSION) -> None:
        self._session = aws.session() if role is None else _assume(role, session)

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


def _regions(own_region: str) -> frozenset[str]:
    """Return the regions of the partition of a region, as botocore lists them; EC2 is in each."""
    session = aws.session()
    return frozenset(session.get_available_regions("ec2", session.get_partition_for_region(own_region)))


def _assume(role: Role, session: str) -> "boto3.Session":
    try:
        return aws.session_in_role(role.arn, role.external_id, session)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in _REFUSALS:
            raise
        raise AccessRefused(
            f"STS refuses the role {role.arn} ({code}). Look whether it exists, whether its trust policy names "
            "this account and the estate's external_id, and whether its name is among those that the deployment allows."
        ) from error
