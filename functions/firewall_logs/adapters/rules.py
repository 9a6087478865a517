"""The quality rules in the Parameter Store."""

from collections.abc import Collection
from typing import TYPE_CHECKING, ClassVar

from firewall_logs.days.rules import Rules

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


class RulesParameter:
    """The parameter that holds the rules beside the shipped ones."""

    IAM: ClassVar = frozenset({"ssm:GetParameter"})

    def __init__(self, ssm: "SSMClient", name: str) -> None:
        self._ssm = ssm
        self._name = name

    def load(self, feeds: Collection[str]) -> Rules:
        """Return the validated rules, the shipped ones included.

        Args:
            feeds: Names of all that are configured.

        Raises:
            RulesInvalid: The sentence names the rule and the field.
        """
        return Rules(self._ssm.get_parameter(Name=self._name)["Parameter"]["Value"], feeds)
