import pytest

from bench.assess import differing
from bench.assess_contenders import Run
from bench.counting_proxy import name_of

_SIGNED = (
    b"authorization: AWS4-HMAC-SHA256 Credential=000000000000/20261121/eu-central-1/%s/aws4_request, Signature=a\r\n"
)


def run(**statuses: str) -> Run:
    """Return a run in which the checks of one table came out like that."""
    return Run(1.0, 1.0, {(check.replace("_", "-"), "table"): status for check, status in statuses.items()})


@pytest.mark.parametrize(
    ("service", "line", "rest", "name"),
    [
        pytest.param(
            "dynamodb", "POST /", "x-amz-target: DynamoDB_20120810.DescribeTable\r\n", "dynamodb.DescribeTable"
        ),
        pytest.param("s3", "GET /bucket?versioning", "", "s3.GET ?versioning"),
        pytest.param("s3", "GET /", "", "s3.GET account"),
        pytest.param("backup", "GET /backup/plans/1/selections", "", "backup.GET /backup/plans"),
    ],
)
def test_calls_are_named_by_service_and_operation(service: str, line: str, rest: str, name: str) -> None:
    head = f"{line} HTTP/1.1\r\n{rest}".encode() + _SIGNED % service.encode() + b"\r\n"
    assert name_of(head, b"") == name


def test_call_of_the_query_protocol_is_named_by_its_action() -> None:
    head = b"POST / HTTP/1.1\r\n" + _SIGNED % b"sns" + b"\r\n"
    assert name_of(head, b"Action=GetTopicAttributes&Version=1&TopicArn=a") == "sns.GetTopicAttributes"


def test_difference_in_the_table_is_explained() -> None:
    [found] = differing("c7n", run(DDB_PITR="warn", DDB_KMS="pass"), run(DDB_PITR="pass", DDB_KMS="pass"))
    assert (found.check, found.ours, found.theirs) == ("DDB-PITR", "warn", "pass")
    assert found.why


def test_difference_that_is_not_in_the_table_is_not_explained() -> None:
    [found] = differing("c7n", run(DDB_KMS="pass"), run(DDB_KMS="fail"))
    assert found.why is None


def test_what_was_asked_of_one_side_alone_is_no_difference() -> None:
    assert differing("prowler", run(DDB_KMS="fail"), run(DDB_KMS="fail", DDB_PITR="pass")) == []
