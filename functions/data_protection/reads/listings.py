"""Reads that list what an account has in a region; of buckets and roles, what it has at all."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from data_protection.readings import Answer, Read
from data_protection.resources import Kind, Resource


def listing(
    name: str,
    service: str,
    operation: str,
    member: str,
    action: str,
    *,
    leads_to: Callable[[Resource, Answer], Iterable[Resource]] | None = None,
    **arguments: Any,
) -> Read:
    """Return the read that lists what an account has of something in a region.

    Args:
        name: Of the read, as `dynamodb.ListTables`.
        service: Of boto3.
        operation: Of its client.
        member: Of its answer that is joined over its pages.
        action: IAM action that it needs.
        leads_to: Further resources that the answer names.
        arguments: Of the operation.
    """
    return Read(
        name=name,
        kind=Kind.ACCOUNT,
        service=service,
        operation=operation,
        arguments=lambda _: arguments,
        actions=frozenset({action}),
        merge=(member,),
        leads_to=leads_to,
    )


TABLES: Final = listing("dynamodb.ListTables", "dynamodb", "list_tables", "TableNames", "dynamodb:ListTables")
# Only to a request with a parameter S3 says where each bucket is; this one is the most that a page may hold.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html, API_Bucket.html
BUCKETS: Final = listing("s3.ListBuckets", "s3", "list_buckets", "Buckets", "s3:ListAllMyBuckets", MaxBuckets=10_000)
TOPICS: Final = listing("sns.ListTopics", "sns", "list_topics", "Topics", "sns:ListTopics")
KEYS: Final = listing("kms.ListKeys", "kms", "list_keys", "Keys", "kms:ListKeys")
ALIASES: Final = listing("kms.ListAliases", "kms", "list_aliases", "Aliases", "kms:ListAliases")
SECRETS: Final = listing(
    "secretsmanager.ListSecrets", "secretsmanager", "list_secrets", "SecretList", "secretsmanager:ListSecrets"
)
