"""Profiles: of the operator in the lake bucket, or as shipped."""

from importlib import resources
from typing import TYPE_CHECKING, ClassVar

from data_protection.errors import ProfileMissing
from data_protection.locations import profile_key
from data_protection.profiles import Profile, parse
from kernel.objects import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class ProfileStore:
    """Finds profiles by name; one in the bucket goes before a shipped one."""

    IAM: ClassVar = frozenset({"s3:GetObject", "s3:ListBucket", "kms:Decrypt"})

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def load(self, name: str) -> Profile:
        """Return a profile.

        Raises:
            ProfileMissing: There is none of that name; the sentence says where one belongs.
            ProfileInvalid: It cannot be used.
        """
        own = self._bucket.get(profile_key(name))
        if own is not None:
            return parse(own.decode(), f"The profile {name} ({profile_key(name)})")
        shipped = resources.files("data_protection.profiles_shipped") / f"{name}.yaml"
        if shipped.is_file():
            return parse(shipped.read_text(), f"The profile {name} (as shipped)")
        raise ProfileMissing(
            f"There is no profile {name}: put one at s3://{self._bucket.name}/{profile_key(name)}, or name one that is "
            "shipped."
        )
