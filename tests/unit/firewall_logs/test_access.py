import json
from typing import Any

import pytest

from firewall_logs.access import Access, session_name, session_policy

ROLE = "arn:aws:iam::222222222222:role/gatehouse-source-media"


def _statements(prefix: str, role_arn: str = ROLE, bucket: str = "raw-media") -> list[dict[str, Any]]:
    access = Access(role_arn=role_arn, external_id="gatehouse-4711")
    statements: list[dict[str, Any]] = json.loads(session_policy(access, bucket, prefix))["Statement"]
    return statements


def test_session_lists_and_reads_its_prefix_and_decrypts_by_s3_only() -> None:
    listing, reading, decrypting = _statements("cloudflare/47/")
    assert listing == {
        "Effect": "Allow",
        "Action": ["s3:ListBucket", "s3:ListBucketVersions"],
        "Resource": "arn:aws:s3:::raw-media",
        "Condition": {"StringLike": {"s3:prefix": "cloudflare/47/*"}},
    }
    assert reading == {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:GetObjectVersion"],
        "Resource": "arn:aws:s3:::raw-media/cloudflare/47/*",
    }
    assert decrypting["Action"] == "kms:Decrypt"
    assert decrypting["Condition"] == {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}}


@pytest.mark.parametrize(
    ("prefix", "below"), [("a*/", "a${*}/*"), ("a?b/", "a${?}b/*"), ("${aws:username}/", "${$}{aws:username}/*")]
)
def test_prefix_stands_for_itself_only(prefix: str, below: str) -> None:
    listing, reading, _ = _statements(prefix)
    assert listing["Condition"]["StringLike"]["s3:prefix"] == below
    assert reading["Resource"] == f"arn:aws:s3:::raw-media/{below}"


def test_policy_speaks_of_the_partition_of_the_role() -> None:
    listing, _, _ = _statements("a/", ROLE.replace("arn:aws:", "arn:aws-us-gov:"))
    assert listing["Resource"] == "arn:aws-us-gov:s3:::raw-media"


def test_policy_of_the_longest_bucket_and_prefix_fits_sts() -> None:
    access = Access(role_arn=ROLE, external_id="gatehouse-4711")
    assert len(session_policy(access, "b" * 63, "p" * 511 + "/")) <= 2048


def test_session_tells_who_reads_which_feed() -> None:
    assert session_name("gatehouse-prod-firewall-logs-plan-run", "47") == "gatehouse-prod-firewall-logs-plan-run@47"
    assert len(session_name("gatehouse-prod-firewall-logs-process-unit", "f" * 63)) == 64
