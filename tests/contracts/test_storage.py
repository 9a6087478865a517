"""What holds state stays: in one stack, retained, encrypted, versioned or recoverable, closed to the public."""

import re
from collections.abc import Callable, Iterator

import pytest

from local.paths import ROOT
from tests.support.templates import Json, Stack, children, root, stacks

STATEFUL = re.compile(
    r"AWS::(S3::Bucket|S3Tables::\w+|DynamoDB::(Global)?Table|KMS::Key|RDS::DB(Instance|Cluster)|EFS::FileSystem"
    r"|SecretsManager::Secret|Kinesis::Stream|OpenSearchService::Domain|ECR::Repository|Backup::BackupVault"
    r"|Glue::Database|Cognito::UserPool|ElastiCache::\w+|Timestream::\w+|MSK::Cluster)"
)
Rule = Callable[[Stack], Iterator[str]]
TLS_ONLY = {"Bool": {"aws:SecureTransport": "false"}}


def misplaced(stack: Stack) -> Iterator[str]:
    for name, resource in stack.resources.items():
        if stack.name == "storage":
            # What a failed first deployment has made goes with it; otherwise names would be taken for good.
            policies = (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy"))
            if STATEFUL.fullmatch(resource["Type"]) and policies != ("RetainExceptOnCreate", "Retain"):
                yield f"{name} is not retained: DeletionPolicy RetainExceptOnCreate, UpdateReplacePolicy Retain"
        elif STATEFUL.fullmatch(resource["Type"]):
            yield f"{name} ({resource['Type']}) holds state: it belongs into stacks/storage.yaml"


def open_buckets(stack: Stack) -> Iterator[str]:
    protected = set(_protected(stack, "AWS::S3::BucketPolicy", "Bucket"))
    for name, bucket in stack.of_type("AWS::S3::Bucket").items():
        rules = bucket.get("LifecycleConfiguration", {}).get("Rules", [])
        encryption = bucket.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", [{}])[0]
        blocked = bucket.get("PublicAccessBlockConfiguration", {})
        wanted = {
            "encryption by the KMS key": encryption.get("ServerSideEncryptionByDefault", {}).get("SSEAlgorithm")
            == "aws:kms",
            "a block of all public access": list(blocked.values()) == [True] * 4,
            "versioning": bucket.get("VersioningConfiguration") == {"Status": "Enabled"},
            "a policy that demands TLS": name in protected,
            "an end for incomplete uploads": any("AbortIncompleteMultipartUpload" in rule for rule in rules),
            "owners of their objects": bucket.get("OwnershipControls")
            == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        }
        yield from (f"bucket {name} lacks {what}" for what, is_there in wanted.items() if not is_there)


def unsafe_tables(stack: Stack) -> Iterator[str]:
    for name, table in stack.of_type("AWS::DynamoDB::Table").items():
        sse = table.get("SSESpecification", {})
        wanted = {
            "point-in-time recovery": table.get("PointInTimeRecoverySpecification")
            == {"PointInTimeRecoveryEnabled": True},
            "encryption by the KMS key": sse.get("SSEEnabled") is True
            and sse.get("SSEType") == "KMS"
            and "KMSMasterKeyId" in sse,
            "deletion protection": table.get("DeletionProtectionEnabled") is True,
        }
        yield from (f"table {name} lacks {what}" for what, is_there in wanted.items() if not is_there)


def open_channels(stack: Stack) -> Iterator[str]:
    for kind, policy, places in (
        ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues"),
        ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "Topics"),
    ):
        protected = set(_protected(stack, policy, places))
        for name, channel in stack.of_type(kind).items():
            if not {"KmsMasterKeyId", "SqsManagedSseEnabled"} & channel.keys():
                yield f"{name} is not encrypted"
            if name not in protected:
                yield f"{name} has no policy that demands TLS"
    for name, bus in stack.of_type("AWS::Events::EventBus").items():
        if "KmsKeyIdentifier" not in bus:
            yield f"{name} is not encrypted by the KMS key"


RULES = [misplaced, open_buckets, unsafe_tables, open_channels]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("stack", children(), ids=str)
def test_state_is_safe(stack: Stack, rule: Rule) -> None:
    problems = list(rule(stack))

    assert not problems, f"{stack}: " + "; ".join(problems)


def test_the_storage_application_is_retained() -> None:
    storage = root().resources["Storage"]

    assert (storage["DeletionPolicy"], storage["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert not [resource for resource in root().resources.values() if STATEFUL.fullmatch(resource["Type"])]


def test_the_key_names_our_event_bus() -> None:
    buses = [bus for stack in stacks() for bus in stack.of_type("AWS::Events::EventBus").values()]
    arn = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/"
    served = [
        statement["Condition"]["StringEquals"]["kms:EncryptionContext:aws:events:event-bus:arn"]
        for stack in stacks()
        for key in stack.of_type("AWS::KMS::Key").values()
        for statement in key["KeyPolicy"]["Statement"]
        if statement.get("Sid") == "EventBusEncrypts"
    ]

    assert served == [{"Fn::Sub": arn + bus["Name"]["Fn::Sub"]} for bus in buses]


@pytest.mark.parametrize("stack", stacks(), ids=str)
def test_keys_rotate(stack: Stack) -> None:
    assert all(key.get("EnableKeyRotation") is True for key in stack.of_type("AWS::KMS::Key").values())


def _example(name: str, **resources: Json) -> Stack:
    return Stack(ROOT / f"stacks/{name}.yaml", {"Resources": resources})


BUCKET, TABLE = {"Type": "AWS::S3::Bucket"}, {"Type": "AWS::DynamoDB::Table"}
QUEUE, TOPIC = {"Type": "AWS::SQS::Queue"}, {"Type": "AWS::SNS::Topic"}
BUS = {"Type": "AWS::Events::EventBus"}


@pytest.mark.parametrize(
    ("rule", "stack", "complaint"),
    [
        (misplaced, _example("orders", Orders=TABLE), "belongs into stacks/storage.yaml"),
        (misplaced, _example("storage", Orders=BUCKET | {"DeletionPolicy": "Retain"}), "Orders is not retained"),
        (open_buckets, _example("storage", Raw=BUCKET), "bucket Raw lacks versioning"),
        (open_buckets, _example("storage", Raw=BUCKET), "bucket Raw lacks a policy that demands TLS"),
        (unsafe_tables, _example("storage", Orders=TABLE), "table Orders lacks point-in-time recovery"),
        (unsafe_tables, _example("storage", Orders=TABLE), "table Orders lacks encryption"),
        (open_channels, _example("orders", Work=QUEUE), "Work is not encrypted"),
        (open_channels, _example("orders", News=TOPIC), "News has no policy that demands TLS"),
        (open_channels, _example("orders", Bus=BUS), "Bus is not encrypted by the KMS key"),
    ],
)
def test_unsafe_state_is_reported(rule: Rule, stack: Stack, complaint: str) -> None:
    assert any(complaint in problem for problem in rule(stack)), list(rule(stack))


def _protected(stack: Stack, policy_type: str, places: str) -> Iterator[str]:
    """Yield what is behind a policy that denies everything without TLS."""
    for policy in stack.of_type(policy_type).values():
        statements = policy["PolicyDocument"]["Statement"]
        if any(s["Effect"] == "Deny" and s["Condition"] == TLS_ONLY and s["Principal"] == "*" for s in statements):
            targets = policy[places]
            yield from (target["Ref"] for target in (targets if isinstance(targets, list) else [targets]))
