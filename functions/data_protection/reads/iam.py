"""Reads of IAM."""

from typing import Final

from data_protection.readings import Read
from data_protection.resources import Kind

# All roles with all their policies in one paginated call; the documents come decoded.
AUTHORIZATION: Final = Read(
    name="iam.GetAccountAuthorizationDetails",
    kind=Kind.ACCOUNT,
    service="iam",
    operation="get_account_authorization_details",
    arguments=lambda _: {"Filter": ["Role", "LocalManagedPolicy", "AWSManagedPolicy"]},
    actions=frozenset({"iam:GetAccountAuthorizationDetails"}),
    merge=("RoleDetailList", "Policies"),
)
