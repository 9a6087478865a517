"""The API through real boto3 clients: listings, portions, complete files, signatures, limits, faults."""

import hashlib
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from http.client import IncompleteRead
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, ConnectionClosedError
from botocore.parsers import ResponseParserError

from local.endpoints import ACCOUNT, REGION
from local.rds.model.estates import resource_id
from local.rds.model.instances import Cluster
from local.rds.model.portions import MAX_BYTES, NOTICE, BinaryPolicy, CutMarker
from local.rds.model.script import CLOCK, Effect, Rule
from local.rds.model.throttle import RateLimit
from local.rds.server import RdsServer
from tests.support.rds import SLOW, START, add_instance, complete, rds_client, read_naively, write

OTHER = "222222222222"
LINES = b"".join(f"line {number:05}\n".encode() for number in range(12_000))


@pytest.fixture
def rds(rds_api: RdsServer) -> Any:
    return rds_client(rds_api)


def portion(rds: Any, file: str = SLOW, **parameters: Any) -> dict[str, Any]:
    answer = rds.download_db_log_file_portion(DBInstanceIdentifier="orders-1", LogFileName=file, **parameters)
    del answer["ResponseMetadata"]
    return dict(answer)


def code_of(call: Callable[[], object]) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


# ---------------------------------------------------------------- what there is


def test_instances_come_in_pages_with_their_tags_and_can_be_filtered(rds_api: RdsServer, rds: Any) -> None:
    for number in range(30):
        add_instance(rds_api.world, f"db-{number:02}", "mysql" if number % 3 else "postgres")
    first = rds.describe_db_instances(MaxRecords=20)
    assert len(first["DBInstances"]) == 20
    second = rds.describe_db_instances(MaxRecords=20, Marker=first["Marker"])
    assert [one["DBInstanceIdentifier"] for one in second["DBInstances"]] == [f"db-{n}" for n in range(20, 30)]
    assert "Marker" not in second
    postgres = rds.describe_db_instances(Filters=[{"Name": "engine", "Values": ["postgres"]}])["DBInstances"]
    assert len(postgres) == 10
    assert postgres[0]["TagList"] == [{"Key": "team", "Value": "orders"}]
    by_arn = rds.describe_db_instances(DBInstanceIdentifier=postgres[1]["DBInstanceArn"].upper())["DBInstances"]
    assert by_arn[0]["DBInstanceIdentifier"] == "db-03"
    assert rds.list_tags_for_resource(ResourceName=by_arn[0]["DBInstanceArn"])["TagList"] == postgres[0]["TagList"]


@pytest.mark.parametrize(
    "parameters",
    [{"MaxRecords": 19}, {"Marker": "bm9uc2Vuc2U="}, {"Filters": [{"Name": "colour", "Values": ["red"]}]}],
)
def test_parameter_out_of_range_is_refused(rds: Any, parameters: dict[str, Any]) -> None:
    assert code_of(lambda: rds.describe_db_instances(**parameters)) == ("InvalidParameterValue", 400)


def test_cluster_fails_over_and_says_so_in_events(rds_api: RdsServer, rds: Any) -> None:
    estate = rds_api.world.estate(ACCOUNT, REGION)
    for name in ("shop-1", "shop-2"):
        add_instance(rds_api.world, name, "aurora-mysql").cluster = "shop"
    estate.clusters["shop"] = Cluster(
        "shop", resource_id("cluster", "shop"), "aurora-mysql", "8.0", ["shop-1", "shop-2"], "shop-1", pauses=True
    )
    rds_api.control.failover("shop-2")
    [cluster] = rds.describe_db_clusters(DBClusterIdentifier="SHOP")["DBClusters"]
    assert {each["DBInstanceIdentifier"]: each["IsClusterWriter"] for each in cluster["DBClusterMembers"]} == {
        "shop-1": False,
        "shop-2": True,
    }
    assert cluster["ServerlessV2ScalingConfiguration"]["MinCapacity"] == 0
    events = rds.describe_events(Duration=60, EventCategories=["failover"])["Events"]
    assert [event["SourceIdentifier"] for event in events] == ["shop", "shop"]
    assert "shop-2" in events[1]["Message"]
    rds_api.control.advance(3601)
    assert rds.describe_events(Duration=60)["Events"] == []
    assert len(rds.describe_events(StartTime=START)["Events"]) == 6


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"SourceIdentifier": "orders-1"}, "InvalidParameterCombination"),
        ({"MaxRecords": 101}, "InvalidParameterValue"),
        ({"StartTime": START + timedelta(hours=1), "EndTime": START}, "InvalidParameterValue"),
    ],
)
def test_events_are_not_asked_for_in_any_way(rds: Any, parameters: dict[str, Any], code: str) -> None:
    assert code_of(lambda: rds.describe_events(**parameters)) == (code, 400)


def test_events_come_in_pages_and_for_two_weeks(rds_api: RdsServer, rds: Any) -> None:
    add_instance(rds_api.world)
    for _ in range(15):
        rds_api.control.reboot("orders-1")
    first = rds.describe_events(MaxRecords=20)
    second = rds.describe_events(MaxRecords=20, Marker=first["Marker"])
    assert [len(page["Events"]) for page in (first, second)] == [20, 10]
    assert "Marker" not in second
    of_it = rds.describe_events(SourceIdentifier="orders-1", SourceType="db-instance", Duration=1)["Events"]
    assert len(of_it) == 30
    rds_api.control.advance(14 * 86_400 + 1)
    assert rds.describe_events(Duration=30 * 24 * 60)["Events"] == []


def test_cluster_parameter_group_tells_what_instances_do_not(rds_api: RdsServer, rds: Any) -> None:
    rds_api.world.estate(ACCOUNT, REGION).clusters["shop"] = Cluster(
        "shop", resource_id("cluster", "shop"), "aurora-postgresql", "16.6", [], "", parameters={"log_timezone": "UTC"}
    )
    [cluster] = rds.describe_db_clusters()["DBClusters"]
    group = cluster["DBClusterParameterGroup"]
    [parameter] = rds.describe_db_cluster_parameters(DBClusterParameterGroupName=group, Source="user")["Parameters"]
    assert (parameter["ParameterName"], parameter["ParameterValue"]) == ("log_timezone", "UTC")
    asked = code_of(lambda: rds.describe_db_cluster_parameters(DBClusterParameterGroupName="none"))
    assert asked == ("DBParameterGroupNotFound", 404)


def test_logs_belong_to_instances_and_not_to_clusters(rds_api: RdsServer, rds: Any) -> None:
    add_instance(rds_api.world).cluster = "orders"
    asked = code_of(lambda: rds.describe_db_log_files(DBInstanceIdentifier="orders"))
    assert asked == ("DBInstanceNotFound", 404)


def test_parameter_group_tells_the_line_prefix(rds_api: RdsServer, rds: Any) -> None:
    add_instance(rds_api.world, engine="postgres").parameters = {"log_line_prefix": "%m [%p] ", "log_timezone": "UTC"}
    [instance] = rds.describe_db_instances()["DBInstances"]
    group = instance["DBParameterGroups"][0]["DBParameterGroupName"]
    parameters = rds.describe_db_parameters(DBParameterGroupName=group)["Parameters"]
    assert {each["ParameterName"]: each["ParameterValue"] for each in parameters} == {
        "log_line_prefix": "%m [%p] ",
        "log_timezone": "UTC",
    }


def test_accounts_see_only_their_own(rds_api: RdsServer, rds: Any) -> None:
    add_instance(rds_api.world, "mine")
    add_instance(rds_api.world, "theirs", account=OTHER)
    assert [one["DBInstanceIdentifier"] for one in rds.describe_db_instances()["DBInstances"]] == ["mine"]
    theirs = rds_client(rds_api, OTHER).describe_db_instances()["DBInstances"]
    assert [one["DBInstanceIdentifier"] for one in theirs] == ["theirs"]


# ---------------------------------------------------------------- listings


def test_listing_has_a_thousand_files_a_page_and_opaque_markers(rds_api: RdsServer, rds: Any) -> None:
    add_instance(rds_api.world, engine="aurora-postgresql")
    rds_api.control.advance(71 * 3600)
    rds_api.control.knobs("orders-1", page_size=100)
    first = rds.describe_db_log_files(DBInstanceIdentifier="orders-1")
    second = rds.describe_db_log_files(DBInstanceIdentifier="orders-1", Marker=first["Marker"])
    names = [file["LogFileName"] for page in (first, second) for file in page["DescribeDBLogFiles"]]
    assert (len(first["DescribeDBLogFiles"]), len(names)) == (100, 144)
    assert names == sorted(names)
    asked = code_of(lambda: rds.describe_db_log_files(DBInstanceIdentifier="orders-1", Marker="?"))
    assert asked == ("InvalidParameterValue", 400)


def test_conditions_of_a_listing_must_all_hold(rds_api: RdsServer, rds: Any) -> None:
    write(add_instance(rds_api.world), SLOW, b"12345")
    rds_api.control.advance(60)
    write(rds_api.world.estate(ACCOUNT, REGION).instance("orders-1"), "general", b"12345")

    def names(**conditions: Any) -> list[str]:
        answer = rds.describe_db_log_files(DBInstanceIdentifier="ORDERS-1", **conditions)
        return [file["LogFileName"] for file in answer["DescribeDBLogFiles"]]

    assert names(FileSize=4) == ["general/mysql-general.log", SLOW]
    assert names(FileSize=5) == []
    assert names(FileSize=4, FilenameContains="slow") == [SLOW]


def test_oracle_does_not_look_at_max_records(rds_api: RdsServer, rds: Any) -> None:
    for name, engine, files in (("sql", "sqlserver-se", 1), ("oracle", "oracle-ee", 2)):
        add_instance(rds_api.world, name, engine).logs *= 2
        answer = rds.describe_db_log_files(DBInstanceIdentifier=name, MaxRecords=1)
        assert len(answer["DescribeDBLogFiles"]) == files


def test_answers_take_as_long_as_the_instance_is_slow(rds_api: RdsServer, rds: Any) -> None:
    write(add_instance(rds_api.world, latency=0.05, bytes_per_second=10_000), SLOW, b"x" * 999 + b"\n")
    begun = time.monotonic()
    portion(rds, Marker="0")
    assert time.monotonic() - begun >= 0.15


# ---------------------------------------------------------------- portions


def test_first_call_without_marker_gets_the_newest_lines_only(rds_api: RdsServer, rds: Any) -> None:
    write(add_instance(rds_api.world), SLOW, LINES)
    newest = portion(rds)
    assert newest["LogFileData"] == LINES[-10_000 * 11 :].decode()
    assert newest["Marker"] == f"7:{len(LINES)}"
    assert not newest["AdditionalDataPending"]
    assert portion(rds, NumberOfLines=2)["LogFileData"] == "line 11998\nline 11999\n"


def test_marker_zero_begins_at_the_first_byte_with_ten_thousand_lines(rds_api: RdsServer, rds: Any) -> None:
    write(add_instance(rds_api.world), SLOW, LINES)
    first = portion(rds, Marker="0")
    assert (first["LogFileData"], first["AdditionalDataPending"]) == (LINES[: 10_000 * 11].decode(), True)
    assert portion(rds, Marker=first["Marker"], NumberOfLines=1)["LogFileData"] == "line 10000\n"
    assert portion(rds, Marker="4:22", NumberOfLines=1) == {
        "LogFileData": "line 00002\n",
        "Marker": "7:33",
        "AdditionalDataPending": True,
    }


def test_what_is_no_marker_is_refused(rds_api: RdsServer, rds: Any) -> None:
    add_instance(rds_api.world)
    assert code_of(lambda: portion(rds, Marker="7:x")) == ("InvalidParameterValue", 400)


@pytest.mark.parametrize(
    ("style", "offset"),
    [(CutMarker.NEXT_LINE, MAX_BYTES + 150), (CutMarker.CUT, MAX_BYTES), (CutMarker.BEFORE_CUT, MAX_BYTES - 7)],
)
def test_megabyte_ends_inside_a_line_and_the_marker_goes_on(
    rds_api: RdsServer, rds: Any, style: CutMarker, offset: int
) -> None:
    data = b"x" * (MAX_BYTES - 51) + b"\n" + b"y" * 199 + b"\n" + b"z\n"
    write(add_instance(rds_api.world, cut_marker=style), SLOW, data)
    answer = portion(rds, Marker="0")
    assert answer["LogFileData"] == data[:MAX_BYTES].decode() + NOTICE.decode()
    assert answer["Marker"] == f"7:{offset}"
    assert answer["AdditionalDataPending"]


def test_paginator_loses_lines_and_no_error_says_so(rds_api: RdsServer, rds: Any) -> None:
    lines = [f"{number} {'x' * (900 + number % 7)}\n" for number in range(3000)]
    write(add_instance(rds_api.world), SLOW, "".join(lines).encode())
    read = read_naively(rds, "orders-1", SLOW)
    assert len(set(lines).difference(read.splitlines(keepends=True))) == 2
    assert read.count(NOTICE.decode()) == 2


def test_paginator_loses_the_lines_of_two_rotations(rds_api: RdsServer, rds: Any) -> None:
    instance = add_instance(rds_api.world)
    write(instance, SLOW, b"one\n")
    marker = portion(rds, Marker="0")["Marker"]
    write(instance, SLOW, b"two\n")
    rds_api.control.advance(3600)
    write(instance, SLOW, b"three\n")
    rds_api.control.advance(3600)
    assert portion(rds, Marker=marker) == {"LogFileData": "", "Marker": marker, "AdditionalDataPending": False}


@pytest.mark.parametrize(
    ("policy", "data", "seen"),
    [
        (BinaryPolicy.REPLACE, b"a\x00\xff\n", "a��\n"),
        (BinaryPolicy.REPLACE, b"a\r\nb\r\n", "a\nb\n"),
        (BinaryPolicy.REPLACE, "ü€𝄞 <&>\n".encode(), "ü€𝄞 <&>\n"),
    ],
)
def test_bytes_that_change_on_the_way(
    rds_api: RdsServer, rds: Any, policy: BinaryPolicy, data: bytes, seen: str
) -> None:
    write(add_instance(rds_api.world, binary=policy), SLOW, data)
    answer = portion(rds, Marker="0")
    assert (answer["LogFileData"], answer["Marker"]) == (seen, f"7:{len(data)}")


def test_binary_bytes_may_be_refused_or_break_the_parser(rds_api: RdsServer, rds: Any) -> None:
    write(add_instance(rds_api.world, binary=BinaryPolicy.REFUSE), SLOW, b"a\x1a\n")
    with pytest.raises(ClientError, match="binary data"):
        portion(rds, Marker="0")
    rds_api.control.knobs("orders-1", binary="raw")
    with pytest.raises(ResponseParserError):
        portion(rds, Marker="0")


# ---------------------------------------------------------------- instances that sleep, go, come back


def test_paused_instance_is_not_ready(rds_api: RdsServer, rds: Any) -> None:
    add_instance(rds_api.world)
    rds_api.control.pause("orders-1")
    assert code_of(lambda: rds.describe_db_log_files(DBInstanceIdentifier="orders-1")) == ("DBInstanceNotReady", 400)
    assert code_of(lambda: portion(rds)) == ("DBInstanceNotReady", 400)
    rds_api.control.resume("orders-1")
    assert portion(rds)["LogFileData"] == ""


def test_instance_made_again_has_another_identity_and_empty_files(rds_api: RdsServer, rds: Any) -> None:
    write(add_instance(rds_api.world), SLOW, b"old\n")
    [before] = rds.describe_db_instances()["DBInstances"]
    rds_api.control.advance(60)
    rds_api.control.recreate("orders-1")
    [after] = rds.describe_db_instances()["DBInstances"]
    assert before["DbiResourceId"] != after["DbiResourceId"]
    assert portion(rds, Marker="0")["LogFileData"] == ""
    [old] = [file for file in rds_api.control.truth() if file.dbi_resource_id == before["DbiResourceId"] and file.size]
    assert (old.lines, old.purged) == (1, rds_api.control.now())


def test_deleted_instance_is_not_found(rds_api: RdsServer, rds: Any) -> None:
    add_instance(rds_api.world)
    rds_api.control.delete("orders-1")
    assert code_of(lambda: portion(rds)) == ("DBInstanceNotFound", 404)


# ---------------------------------------------------------------- complete files


@pytest.mark.parametrize("sign", [SigV4Auth, SigV4QueryAuth])
def test_complete_file_is_streamed_byte_by_byte(rds_api: RdsServer, sign: type[SigV4Auth]) -> None:
    data = b"\x00\xff\r\n" * 300_000 + b"x" * (MAX_BYTES + 1)
    write(add_instance(rds_api.world), SLOW, data)
    assert hashlib.sha256(complete(rds_api, "orders-1", SLOW, sign)).digest() == hashlib.sha256(data).digest()


@pytest.mark.parametrize(
    ("file", "secret", "status"), [("none.log", "local", 404), (SLOW, "guessed", 403), (SLOW, "local", 400)]
)
def test_complete_file_is_refused_in_xml(rds_api: RdsServer, file: str, secret: str, status: int) -> None:
    add_instance(rds_api.world).paused = status == 400
    with pytest.raises(urllib.error.HTTPError) as caught:
        complete(rds_api, "orders-1", file, credentials=Credentials(ACCOUNT, secret))
    assert caught.value.code == status
    assert b"<ErrorResponse" in caught.value.read()
    caught.value.close()


def test_complete_file_may_end_in_the_middle(rds_api: RdsServer) -> None:
    write(add_instance(rds_api.world), SLOW, b"x" * 3_000_000)
    rds_api.control.script([Rule(Effect.DISCONNECT, amount=1_000_000)])
    with pytest.raises(IncompleteRead) as caught:
        complete(rds_api, "orders-1", SLOW)
    assert len(caught.value.partial) <= 1_000_000
    assert len(complete(rds_api, "orders-1", SLOW)) == 3_000_000


# ---------------------------------------------------------------- who may ask, and how often


def session(server: RdsServer, access_key: str, secret: str, token: str | None = None) -> Any:
    return boto3.Session(access_key, secret, token, REGION).client("rds", endpoint_url=server.endpoint)


def test_signature_is_checked_and_keys_expire(rds_api: RdsServer) -> None:
    add_instance(rds_api.world, "theirs", account=OTHER)
    assert code_of(session(rds_api, ACCOUNT, "guessed").describe_db_instances) == ("SignatureDoesNotMatch", 403)
    unknown = session(rds_api, "ASIAUNKNOWN", "secret", "token")
    assert code_of(unknown.describe_db_instances) == ("InvalidClientTokenId", 403)
    rds_api.control.key("ASIAUNKNOWN", account=OTHER, secrets=["secret"], token="token")  # noqa: S106 - for tests
    assert len(unknown.describe_db_instances()["DBInstances"]) == 1
    rds_api.control.key("ASIAUNKNOWN", account=OTHER, secrets=["secret"], expires=0)
    assert code_of(unknown.describe_db_instances) == ("ExpiredToken", 403)


def test_request_without_signature_is_refused(rds_api: RdsServer) -> None:
    request = urllib.request.Request(rds_api.endpoint, b"Action=DescribeDBInstances")  # noqa: S310 - loopback
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)  # noqa: S310 - loopback
    assert b"MissingAuthenticationToken" in caught.value.read()
    caught.value.close()


def test_calls_beyond_the_rate_are_throttled_until_time_has_passed(rds_api: RdsServer, rds: Any) -> None:
    rds_api.control.limit(ACCOUNT, REGION, RateLimit(rate=1, burst=2, real_time=False))
    rds.describe_db_instances()
    rds.describe_events()
    assert code_of(rds.describe_db_instances) == ("Throttling", 400)
    rds_api.control.advance(1)
    rds.describe_db_instances()
    assert rds_api.control.calls() == {"throttled": 1, "DescribeDBInstances": 3, "DescribeEvents": 1}


def test_minute_has_a_budget_too(rds_api: RdsServer, rds: Any) -> None:
    rds_api.control.limit(ACCOUNT, REGION, RateLimit(rate=100, burst=100, per_minute=3, real_time=False))
    for _ in range(3):
        rds.describe_db_instances()
    assert code_of(rds.describe_db_instances) == ("Throttling", 400)
    rds_api.control.advance(60)
    rds.describe_db_instances()


@pytest.mark.parametrize("counted", [True, False])
def test_complete_files_may_count_or_not(rds_api: RdsServer, *, counted: bool) -> None:
    write(add_instance(rds_api.world), SLOW, b"one\n")
    limit = RateLimit(rate=0, burst=1, real_time=False, complete_files=counted)
    rds_api.control.limit(ACCOUNT, REGION, limit)
    assert complete(rds_api, "orders-1", SLOW) == b"one\n"
    if counted:
        with pytest.raises(urllib.error.HTTPError) as caught:
            complete(rds_api, "orders-1", SLOW)
        assert b"Throttling" in caught.value.read()
        caught.value.close()
    else:
        assert complete(rds_api, "orders-1", SLOW) == b"one\n"


def test_action_that_is_not_emulated_says_so(rds: Any) -> None:
    with pytest.raises(ClientError, match="not emulated"):
        rds.describe_db_snapshots()


# ---------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("effect", "code"),
    [
        (Effect.THROTTLE, "Throttling"),
        (Effect.UNAVAILABLE, "ServiceUnavailable"),
        (Effect.INTERNAL_FAILURE, "InternalFailure"),
        (Effect.ACCESS_DENIED, "AccessDenied"),
        (Effect.NOT_READY, "DBInstanceNotReady"),
        (Effect.FILE_NOT_FOUND, "DBLogFileNotFoundFault"),
        (Effect.EXPIRED_TOKEN, "ExpiredToken"),
    ],
)
def test_error_comes_as_often_as_the_script_says(rds_api: RdsServer, rds: Any, effect: Effect, code: str) -> None:
    add_instance(rds_api.world)
    rds_api.control.script([Rule(effect, action="Download*", instance="orders-*", first_call=2, times=1)])
    portion(rds)
    assert code_of(lambda: portion(rds))[0] == code
    portion(rds)
    assert rds_api.control.applied() == [1]


@pytest.mark.parametrize(
    ("effect", "amount", "expected"),
    [
        (Effect.DUPLICATE_FRAGMENT, 3, ("ne\ntwo\nthree\n", "7:14", False)),
        (Effect.PENDING_MISSING, 1, ("two\nthree\n", "7:14", None)),
        (Effect.MARKER_ECHO, 1, ("", "7:4", False)),
        (Effect.MARKER_MISSING, 1, ("two\nthree\n", None, False)),
        (Effect.MARKER_EMPTY, 1, ("", "", False)),
    ],
)
def test_portion_goes_wrong(
    rds_api: RdsServer, rds: Any, effect: Effect, amount: int, expected: tuple[str, str | None, bool | None]
) -> None:
    write(add_instance(rds_api.world), SLOW, b"one\ntwo\nthree\n")
    rds_api.control.script([Rule(effect, amount=amount)])
    answer = portion(rds, Marker="7:4")
    assert (answer["LogFileData"], answer.get("Marker"), answer.get("AdditionalDataPending")) == expected


def test_nothing_is_pending_although_there_is_more(rds_api: RdsServer, rds: Any) -> None:
    write(add_instance(rds_api.world), SLOW, b"one\ntwo\n")
    rds_api.control.script([Rule(Effect.PENDING_FALSE)])
    assert portion(rds, Marker="0", NumberOfLines=1) == {
        "LogFileData": "one\n",
        "Marker": "7:4",
        "AdditionalDataPending": False,
    }


def test_lines_are_skipped_after_a_cut(rds_api: RdsServer, rds: Any) -> None:
    write(add_instance(rds_api.world, portion_bytes=6), SLOW, b"one\ntwo\nthree\nfour\n")
    rds_api.control.script([Rule(Effect.SKIP_LINES, amount=1)])
    assert portion(rds, Marker="0")["Marker"] == "7:14"


def test_listing_is_empty_or_too_long_now_and_then(rds_api: RdsServer, rds: Any) -> None:
    write(add_instance(rds_api.world), SLOW, b"one\n")
    rds_api.control.script(
        [Rule(Effect.EMPTY_LISTING, times=1), Rule(Effect.LISTED_BEYOND_READABLE, first_call=2, amount=241)]
    )
    asked = {"DBInstanceIdentifier": "orders-1", "FilenameContains": "slow"}
    assert rds.describe_db_log_files(**asked)["DescribeDBLogFiles"] == []
    assert rds.describe_db_log_files(**asked)["DescribeDBLogFiles"][0]["Size"] == 245
    assert rds.describe_db_log_files(**asked)["DescribeDBLogFiles"][0]["Size"] == 4


def test_connection_is_reset(rds_api: RdsServer, rds: Any) -> None:
    add_instance(rds_api.world)
    rds_api.control.script([Rule(Effect.RESET)])
    with pytest.raises(ConnectionClosedError):
        portion(rds)
    portion(rds)


def test_world_changes_between_listing_and_read(rds_api: RdsServer, rds: Any) -> None:
    instance = add_instance(rds_api.world)
    write(instance, SLOW, b"one\n")
    rds_api.control.script([Rule(Effect.HOURS_PASS, action="DownloadDBLogFilePortion", first_call=2, amount=2)])
    marker = portion(rds, Marker="0")["Marker"]
    write(instance, SLOW, b"two\n")
    assert portion(rds, Marker=marker)["LogFileData"] == ""
    assert portion(rds, f"{SLOW}.2026-11-21.7", Marker="0")["LogFileData"] == "one\ntwo\n"


def test_file_is_purged_while_it_is_read(rds_api: RdsServer, rds: Any) -> None:
    write(add_instance(rds_api.world), SLOW, b"one\ntwo\n")
    rds_api.control.advance(3600)
    rds_api.control.script([Rule(Effect.PURGE, file="*.7", first_call=2)])
    marker = portion(rds, f"{SLOW}.2026-11-21.7", Marker="0", NumberOfLines=1)["Marker"]
    asked = code_of(lambda: portion(rds, f"{SLOW}.2026-11-21.7", Marker=marker))
    assert asked == ("DBLogFileNotFoundFault", 404)


def test_file_grows_while_it_is_read(rds_api: RdsServer, rds: Any) -> None:
    write(add_instance(rds_api.world), SLOW, b"one\n")
    rds_api.control.script([Rule(Effect.GROW, times=None, amount=1_000_000)])
    sizes = [len(portion(rds, Marker="0", NumberOfLines=1)["LogFileData"]) for _ in range(2)]
    assert sizes == [4, 4]
    [file] = [file for file in rds_api.control.truth() if SLOW in file.names]
    assert file.size == 4 + 2 * 1_000_000


@pytest.mark.parametrize("effect", [Effect.REBOOT, Effect.FAILOVER, Effect.PAUSE, Effect.DELETE, Effect.RECREATE])
def test_event_comes_at_its_time(rds_api: RdsServer, rds: Any, effect: Effect) -> None:
    add_instance(rds_api.world)
    after = START + timedelta(hours=1)
    rds_api.control.script([Rule(effect, action=CLOCK, instance="orders-1", after=after)])
    rds_api.control.advance(3500)
    assert rds.describe_events(StartTime=START)["Events"] == []
    rds_api.control.advance(3700)
    events = rds.describe_events(StartTime=START)["Events"]
    assert events
    assert {event["Date"] for event in events} == {after}


def test_same_seed_hits_the_same_calls(rds_api: RdsServer, rds: Any) -> None:
    add_instance(rds_api.world)

    def storm(seed: int) -> list[bool]:
        rds_api.control.script([Rule(Effect.THROTTLE, times=None, probability=0.5)], seed)
        seen = []
        for _ in range(20):
            try:
                portion(rds)
                seen.append(False)
            except ClientError:
                seen.append(True)
        return seen

    first = storm(1)
    assert first == storm(1)
    assert first != storm(2)
    assert 4 < sum(first) < 16


# ---------------------------------------------------------------- commands and truth


def test_commands_by_http(rds_api: RdsServer, tmp_path: Path) -> None:
    write(add_instance(rds_api.world), SLOW, b"one\nhalf")

    def command(name: str, **arguments: Any) -> Any:
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{rds_api.endpoint}/_rds/{name}", json.dumps(arguments).encode()
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
            return json.load(answer)

    assert command("advance", seconds=3600) == "2026-11-21T07:30:00Z"
    command("write", instance="orders-1", log="slow", text="new\udcff\n")
    command("script", rules=[{"effect": "throttle", "action": "Download*"}])
    command("limit", account=ACCOUNT, region=REGION, limit={"rate": 5, "burst": 5})
    assert command("applied") == [0]
    files = {file["names"][0]: file for file in command("truth", folder=str(tmp_path))}
    assert files[f"{SLOW}.2026-11-21.7"]["lines"] == 2
    assert Path(files[f"{SLOW}.2026-11-21.7"]["path"]).read_bytes() == b"one\nhalf"
    assert files[SLOW]["sha256"] == hashlib.sha256(b"new\xff\n").hexdigest()
    with pytest.raises(urllib.error.HTTPError) as caught:
        command("advance", hours=1)
    assert b"advance" in caught.value.read()
    caught.value.close()


def test_clock_goes_by_itself(rds_api: RdsServer) -> None:
    add_instance(rds_api.world)
    rds_api.control.run(1_000_000)
    while rds_api.control.now() < START + timedelta(hours=1):
        pass
    rds_api.control.run(0)
    stopped = rds_api.control.now()
    assert rds_api.control.now() == stopped
