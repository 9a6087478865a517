"""Reads that list what an account has in a region."""

from collections.abc import Mapping
from typing import Any, Final

from data_protection.readings import Read
from data_protection.resources import Kind, Resource


def _listing(name: str, service: str, operation: str, member: str, action: str) -> Read:
    return Read(
        name=name,
        kind=Kind.ACCOUNT,
        service=service,
        operation=operation,
        arguments=_nothing,
        actions=frozenset({action}),
        merge=(member,),
    )


def _nothing(_: Resource) -> Mapping[str, Any]:
    return {}


TABLES: Final = _listing("dynamodb.ListTables", "dynamodb", "list_tables", "TableNames", "dynamodb:ListTables")
BUCKETS: Final = _listing("s3.ListBuckets", "s3", "list_buckets", "Buckets", "s3:ListAllMyBuckets")
TOPICS: Final = _listing("sns.ListTopics", "sns", "list_topics", "Topics", "sns:ListTopics")
KEYS: Final = _listing("kms.ListKeys", "kms", "list_keys", "Keys", "kms:ListKeys")
SECRETS: Final = _listing(
    "secretsmanager.ListSecrets", "secretsmanager", "list_secrets", "SecretList", "secretsmanager:ListSecrets"
)
