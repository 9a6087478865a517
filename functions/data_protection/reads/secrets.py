"""Reads of Secrets Manager."""

from typing import Final

from data_protection.readings import Read
from data_protection.resources import Kind

SECRET: Final = Read(
    name="secretsmanager.DescribeSecret",
    kind=Kind.SECRET,
    service="secretsmanager",
    operation="describe_secret",
    arguments=lambda resource: {"SecretId": resource.name},
    actions=frozenset({"secretsmanager:DescribeSecret"}),
    missing=frozenset({"ResourceNotFoundException"}),
)
