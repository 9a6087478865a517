"""The feed configuration in the Parameter Store."""

from typing import TYPE_CHECKING, ClassVar

from firewall_logs.feeds import Feeds

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


class FeedsParameter:
    """The parameter that holds the feeds."""

    IAM: ClassVar = frozenset({"ssm:GetParameter"})

    def __init__(self, ssm: "SSMClient", name: str) -> None:
        self._ssm = ssm
        self._name = name

    def load(self) -> Feeds:
        """Return the validated feeds.

        Raises:
            FeedConfigInvalid: The sentence names the feed and the field.
        """
        return Feeds(self._ssm.get_parameter(Name=self._name)["Parameter"]["Value"])
