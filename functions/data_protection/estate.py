"""The estate: accounts and regions that are assessed, each by a profile."""

import re
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Annotated, Final, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from data_protection.documents import load_json
from data_protection.errors import EstateInvalid
from data_protection.resources import Place
from kernel.sentences import nearest, sentences

# Of AssumeRole (AWS STS API reference, ExternalId).
_EXTERNAL_ID: Final = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_PROFILE: Final = r"^[a-z0-9][a-z0-9-]{0,63}$"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Role(_Model):
    """A role of another account.

    Attributes:
        arn: Of it.
        external_id: What its trust policy asks for, lest others who may use Gatehouse reach the account by its hand
            (IAM user guide, "The confused deputy problem").
    """

    arn: Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/.+$")]
    external_id: str

    @field_validator("external_id")
    @classmethod
    def _is_taken_by_sts(cls, value: str) -> str:
        if not _EXTERNAL_ID.fullmatch(value):
            raise ValueError("it is 2 to 1,224 letters, digits and _+=,.@:/-")
        return value


class Account(_Model):
    """One account.

    Attributes:
        account: Its 12 digits.
        regions: That are assessed. What is global (buckets, roles) is assessed with the first one.
        profile: Name of the profile.
        assess: Role that reads; only the functions' own account is read without, in their own.
        remediate: Role that changes, by phase of the standard; phases without one are not remediated there. In the
            functions' own account none at all stands for their own, in every phase.
    """

    account: Annotated[str, Field(pattern=r"^\d{12}$")]
    regions: Annotated[tuple[str, ...], Field(min_length=1)]
    profile: Annotated[str, Field(pattern=_PROFILE)] = "rfc-008"
    assess: Role | None = None
    remediate: dict[int, Role] = {}

    @model_validator(mode="after")
    def _is_of_the_account(self) -> Self:
        for role in (self.assess, *self.remediate.values()):
            if role is not None and role.arn.split(":")[4] != self.account:
                raise ValueError(f"{role.arn} is no role of the account {self.account}")
        if len(set(self.regions)) != len(self.regions):
            raise ValueError("a region is listed twice")
        return self

    def reader(self, function: str) -> str:
        """Return the ARN of who reads the account: its role, or else the function that asks.

        Raises:
            EstateInvalid: It has no role, and is not the account of the function.
        """
        self.require_reader(function.split(":")[4])
        return function if self.assess is None else self.assess.arn

    def require_reader(self, own: str) -> None:
        """Refuse an account that would be judged by what the functions see in their own.

        Args:
            own: The functions' account.

        Raises:
            EstateInvalid: It has no role, and is another one.
        """
        if self.assess is None and self.account != own:
            raise EstateInvalid(
                f"The estate has no `assess` role for {self.account}: add one; only the deployment's own account is "
                "read without."
            )

    def remediator(self, phase: int, own: str) -> Role | None:
        """Return the role that changes the account in a phase; None for the functions' own.

        Args:
            phase: Of the standard.
            own: The functions' account.

        Raises:
            EstateInvalid: The account is not remediated in that phase.
        """
        if phase in self.remediate:
            return self.remediate[phase]
        if self.account == own and not self.remediate:
            return None
        raise EstateInvalid(f"The estate has no role for phase {phase} in {self.account}: add it as remediate.{phase}.")

    def place(self, region: str, partition: str) -> Place:
        """Return the account in a region, whether it is assessed there or not."""
        return Place(self.account, region, partition, is_home=region == self.regions[0])


class Estate(_Model):
    """What is assessed.

    Attributes:
        accounts: None twice.
    """

    accounts: Annotated[tuple[Account, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _has_each_once(self) -> Self:
        names = [account.account for account in self.accounts]
        if len(set(names)) != len(names):
            raise ValueError("an account is listed twice; give it all its regions in one place")
        return self

    @property
    def roles(self) -> frozenset[str]:
        """ARNs of all roles in which accounts are assessed and remediated."""
        return frozenset(
            role.arn
            for account in self.accounts
            for role in (account.assess, *account.remediate.values())
            if role is not None
        )

    def account(self, number: str) -> Account:
        """Return an account.

        Raises:
            EstateInvalid: It is not in the estate (any more).
        """
        for account in self.accounts:
            if account.account == number:
                return account
        raise EstateInvalid(f"The estate has no account {number}: add it, or leave it out.")

    def places(self, accounts: frozenset[str], regions: frozenset[str], partition: str) -> list[Place]:
        """Return where to look, in order of the estate.

        Args:
            accounts: Only these; none, all.
            regions: Only these; none, all.
            partition: Of AWS.

        Raises:
            EstateInvalid: An account that is asked for is not in the estate, or nothing is left.
        """
        for number in accounts:
            self.account(number)
        places = [
            account.place(region, partition)
            for account in self.accounts
            if not accounts or account.account in accounts
            for region in account.regions
            if not regions or region in regions
        ]
        if not places:
            raise EstateInvalid(f"No account of the estate is assessed in {', '.join(sorted(regions))}.")
        return places

    def whole_profiles(self, places: Iterable[Place]) -> dict[str, int]:
        """Return the profiles all of whose places are among these, with how many these are."""
        profiles = {account.account: account.profile for account in self.accounts}
        found = Counter(profiles[place.account] for place in places)
        whole = Counter(account.profile for account in self.accounts for _ in account.regions)
        return {profile: number for profile, number in found.items() if number == whole[profile]}


def own_estate(own_account: str, own_region: str) -> Estate:
    """Return the estate that is one account in one region, as without a document."""
    return Estate(accounts=(Account(account=own_account, regions=(own_region,)),))


def parse_estate(document: bytes, own_account: str, own_region: str, known_regions: Collection[str]) -> Estate:
    """Return the estate that a JSON document tells of; an empty object is the own account in the own region.

    Args:
        document: The JSON.
        own_account: The functions'.
        own_region: The functions'.
        known_regions: Of the functions' partition.

    Raises:
        EstateInvalid: The sentence names the field, or the account that nobody could read.
    """
    if document.strip() == b"{}":
        return own_estate(own_account, own_region)
    try:
        given = load_json(document.decode())
    except (ValueError, yaml.YAMLError) as error:
        raise EstateInvalid(f"The estate is no JSON: {' '.join(str(error).split())}.") from None
    try:
        estate = Estate.model_validate(given)
    except ValidationError as invalid:
        raise EstateInvalid(f"The estate does not hold. {' '.join(sentences(invalid, Estate))}") from None
    for account in estate.accounts:
        account.require_reader(own_account)
    if unknown := _unknown(estate, known_regions):
        raise EstateInvalid(f"The estate does not hold. {' '.join(unknown)}")
    return estate


def _unknown(estate: Estate, known_regions: Collection[str]) -> list[str]:
    """Return a sentence for each region that does not exist, with the first place where it stands."""
    found: dict[str, str] = {}
    for number, account in enumerate(estate.accounts):
        for position, region in enumerate(account.regions):
            if region not in known_regions:
                found.setdefault(region, f"`accounts[{number}].regions[{position}]`")
    return [
        f"{where}: there is no region {region}; {nearest(region, known_regions)}" for region, where in found.items()
    ]
