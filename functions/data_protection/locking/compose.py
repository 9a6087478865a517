"""Composition: the clients of the account whose bucket is locked, alike for all functions.

A test takes the adapters that are imported here for those of every handler that imports this module.
"""

from typing import TYPE_CHECKING

from data_protection.adapters.estate import SESSION, Clients, EstateStore
from data_protection.locking import PHASE
from kernel import aws

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from data_protection.estate import Account


def acting(
    number: str, lake_bucket: str, context: "LambdaContext", session: str = SESSION
) -> "tuple[Account, Clients]":
    """Return an account of the estate and the clients that lock its buckets.

    Args:
        number: Of the account; empty for the function's own.
        lake_bucket: That has the estate.
        context: Of the function.
        session: Name of the session in the account's role; of who changes something, the hash of the simulation.

    Raises:
        EstateInvalid: The account is not in it, or has no role for this.
        AccessRefused: STS refuses the role.
    """
    _, _, _, region, own, *_ = context.invoked_function_arn.split(":")
    account = EstateStore(aws.s3(), lake_bucket).load(own, region).account(number or own)
    return account, Clients(account.remediator(PHASE, own), session)
