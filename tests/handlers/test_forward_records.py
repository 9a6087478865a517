import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError
from botocore.exceptions import ClientError

from database_logs.adapters import search_engine
from database_logs.errors import SearchSecretInvalid
from database_logs.handlers import forward_records, verify_search
from database_logs.log_types import LogType
from database_logs.redaction import redacted
from database_logs.search import answers, bulk, documents
from kernel import aws
from kernel.settings import load
from tests.support.aws import LAKE
from tests.support.context import Context
from tests.support.metrics import emitted
from tests.support.openobserve import PASSWORD, OpenObserve
from tests.support.parsed_logs import (
    SLOW_LOG,
    Killed,
    batch,
    file_of,
    lake_records,
    objects,
    received,
    refused,
    slow_event,
)
from tests.support.searching import parsed, recent, searching

pauses: list[float] = []


@pytest.fixture(autouse=True)
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenObserve]:
    pauses.clear()
    monkeypatch.setattr(time, "sleep", pauses.append)
    with searching() as listening:
        yield listening


def _forward(*messages: Any) -> Any:
    return forward_records.handler(batch(*messages), Context())


class Hurried(Context):
    """A function whose time is nearly up."""

    def get_remaining_time_in_millis(self) -> int:
        return 20_000


def _retried(outcome: Any) -> list[str]:
    return [failure["itemIdentifier"] for failure in outcome["batchItemFailures"]]


def test_records_are_found_by_their_event_id_at_their_time_without_literals(server: OpenObserve) -> None:
    assert _retried(_forward(recent())) == []

    records = lake_records()
    rows = server.search('SELECT * FROM "database_logs" ORDER BY event_id', 0, 2**62)
    assert [row["event_id"] for row in rows] == records["event_id"].to_list()
    assert [row["_timestamp"] for row in rows] == records["event_time"].dt.timestamp("us").to_list()
    assert {row["query"] for row in rows} == {"SELECT ? FROM t"}
    assert {row["query_time"] for row in rows} == {1.5}
    assert "secret" not in json.dumps(rows)
    assert all(value is not None for row in server.streams["database_logs"] for value in row.values())


def test_texts_reach_search_as_they_are_whatever_is_in_them(server: OpenObserve) -> None:
    texts = ['a,"null":null', "b\\", 'c,"user":null,"', "d\u2028\x01ä😀", '"', ',"x":null']
    head = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC:10.0.0.1(5432):app@shop:[7]:ERROR:  deadlock detected"
    log = "".join(f"{head} {text}\n" for text in texts)
    _forward(parsed(log.encode(), file_of(LogType.POSTGRES_STDERR)))

    stored_rows = sorted(server.streams["database_logs"], key=lambda row: row["event_id"])
    expected = redacted(lake_records())["message"].to_list()
    assert [row["message"] for row in stored_rows] == expected
    assert sum("null" in text for text in expected) == 3


def test_requests_are_no_larger_than_they_may_be(server: OpenObserve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MOST_BYTES", 3_000)
    monkeypatch.setattr(documents, "_SLAB", 4)
    segment = recent(10)

    _forward(segment)

    assert len(server.requests) > 3
    assert max(server.requests) <= 3_000
    assert len(server.ids("database_logs")) == 10


def test_many_small_documents_are_split_by_their_number(server: OpenObserve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MOST_DOCUMENTS", 4)

    _forward(recent(10))

    assert len(server.requests) == 3


@pytest.mark.parametrize("phase", ["503", "429", "quota", "breaker", "reset", "page"])
def test_what_passes_is_waited_for(server: OpenObserve, phase: Any, capsys: pytest.CaptureFixture[str]) -> None:
    server.phases.extend([phase, phase])
    segment = recent()

    assert _retried(_forward(segment)) == []

    assert server.ids("database_logs") == lake_records()["event_id"].to_list()
    assert len(pauses) == 2
    assert pauses == [3, 3] if phase == "429" else all(0 <= pause <= 2 for pause in pauses)
    counted = emitted(capsys.readouterr().out)["SearchRequestsFailed"]
    assert counted == (2 if phase in {"503", "429", "reset"} else 0)


def test_documents_without_an_item_are_sent_again_and_no_others(server: OpenObserve) -> None:
    server.phases.append("dropped")

    _forward(recent(6))

    assert server.ids("database_logs") == lake_records()["event_id"].to_list()
    assert server.requests[1] < server.requests[0]


def test_search_that_is_down_gets_the_rest_later_and_nothing_twice(
    server: OpenObserve, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bulk, "MOST_DOCUMENTS", 2)
    segment = recent(7)
    server.phases.extend(["ok", "ok", "503", "503", "503", "503", "503", "503", "503"])

    assert _retried(_forward(segment)) == ["m0"]
    assert len(server.ids("database_logs")) == 4
    assert emitted(capsys.readouterr().out)["SearchRequestsFailed"] == 7
    assert _retried(_forward(segment)) == []

    assert server.ids("database_logs") == lake_records()["event_id"].to_list()


def test_down_for_an_hour_means_a_second_delivery_that_finishes(server: OpenObserve) -> None:
    segment = recent()
    server.phases.extend(["503"] * 21)

    assert [_retried(_forward(segment)) for _ in range(4)] == [["m0"], ["m0"], ["m0"], []]
    assert server.ids("database_logs") == lake_records()["event_id"].to_list()


@pytest.mark.parametrize("requests", [1, 2, 3])
def test_worker_killed_after_a_request_leaves_nothing_unsent(
    server: OpenObserve, monkeypatch: pytest.MonkeyPatch, requests: int
) -> None:
    monkeypatch.setattr(bulk, "MOST_DOCUMENTS", 2)
    segment = recent(6)
    post = search_engine.SearchEngine.post

    def dying(self: search_engine.SearchEngine, body: bytes) -> answers.Answer:
        answer = post(self, body)
        if len(server.requests) == requests:
            raise Killed
        return answer

    with monkeypatch.context() as mortal, pytest.raises(Killed):  # noqa: PT012 - the patch is part of it
        mortal.setattr(search_engine.SearchEngine, "post", dying)
        _forward(segment)
    assert _retried(_forward(segment)) == []

    # The answer was lost, so OpenObserve has some twice, under one event_id.
    assert sorted(set(server.ids("database_logs"))) == lake_records()["event_id"].to_list()


def test_another_message_for_the_segment_sends_all_of_it_anew(server: OpenObserve) -> None:
    segment = recent()
    _forward(segment)

    again = batch("unused", segment)
    again["Records"] = again["Records"][1:]
    forward_records.handler(again, Context())

    # OpenObserve keeps both; queries tell them by event_id.
    assert len(server.ids("database_logs")) == 6
    assert len(set(server.ids("database_logs"))) == 3


def test_one_poisonous_document_is_found_and_kept_with_its_reason(
    server: OpenObserve, capsys: pytest.CaptureFixture[str]
) -> None:
    segment = recent(20)
    event_ids = lake_records()["event_id"].to_list()
    server.poisonous.add(event_ids[13])

    assert _retried(_forward(segment)) == []

    assert server.ids("database_logs") == [each for each in event_ids if each != event_ids[13]]
    [kept] = refused()
    assert kept["reason"].startswith("400: ")
    assert "expected value" in kept["reason"]
    assert kept["document"]["query"] == "SELECT ? FROM t"
    told = emitted(capsys.readouterr().out)
    assert (told["RecordsForwarded"], told["RecordsRefusedBySearch"]) == (19, 1)


def test_document_of_another_type_is_refused_although_errors_is_false(server: OpenObserve) -> None:
    segment = recent()
    server.streams["database_logs"] = [{"_id": "x", "_timestamp": 1, "user": 7}]

    assert _retried(_forward(segment)) == []

    assert len(refused()) == 3
    assert all("422: schema_conformance_failed: failed to cast field user" in one["reason"] for one in refused())
    # One object of all that a request was refused of, however many.
    assert len(objects("database_logs/search/refused/")) == 1


def test_no_request_is_begun_that_may_not_end_in_time(server: OpenObserve) -> None:
    segment = recent(5)

    assert _retried(forward_records.handler(batch(segment), Hurried())) == ["m0"]
    assert not server.requests
    assert _retried(_forward(segment)) == []
    assert len(server.ids("database_logs")) == 5


def test_request_that_is_too_large_is_sent_in_halves(server: OpenObserve) -> None:
    server.payload_limit = 2_000

    _forward(recent(8))

    assert server.ids("database_logs") == lake_records()["event_id"].to_list()


def test_document_that_is_too_large_alone_is_refused(server: OpenObserve) -> None:
    server.payload_limit = 100

    assert _retried(_forward(recent(2))) == []

    assert len(refused()) == 2


def test_old_records_stay_in_the_lake_and_are_counted(server: OpenObserve, capsys: pytest.CaptureFixture[str]) -> None:
    _forward(parsed(SLOW_LOG))

    assert not server.requests
    told = emitted(capsys.readouterr().out)
    assert (told["RecordsForwarded"], told["RecordsLateToSearch"]) == (0, 3)


def test_records_of_tomorrow_stay_in_the_lake_and_are_counted(
    server: OpenObserve, capsys: pytest.CaptureFixture[str]
) -> None:
    now = datetime.now(UTC)
    _forward(parsed(slow_event(now, "SELECT 1") + slow_event(now + timedelta(hours=25), "SELECT 2")))

    assert len(server.ids("database_logs")) == 1
    assert emitted(capsys.readouterr().out)["RecordsLateToSearch"] == 1


def test_old_records_go_to_the_late_stream_under_the_time_of_sending(
    server: OpenObserve, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEARCH_LATE_STREAM", "database_logs_late")
    before = time.time_ns() // 1_000

    _forward(parsed(SLOW_LOG))

    rows = server.streams["database_logs_late"]
    assert all(before <= row["_timestamp"] <= time.time_ns() // 1_000 for row in rows)
    assert [row["event_time"] for row in rows] == [
        "2026-06-07T22:00:00.000000Z",
        "2026-06-07T23:00:00.000000Z",
        "2026-06-08T01:00:00.000000Z",
    ]
    assert emitted(capsys.readouterr().out)["RecordsLateToSearch"] == 3


@pytest.mark.parametrize(("late_stream", "found"), [("", {}), ("late", {"late": 3})])
def test_window_that_search_alone_knows_is_respected(
    server: OpenObserve, monkeypatch: pytest.MonkeyPatch, late_stream: str, found: dict[str, int]
) -> None:
    monkeypatch.setenv("SEARCH_PAST_HOURS", "0")
    monkeypatch.setenv("SEARCH_LATE_STREAM", late_stream)

    assert _retried(_forward(parsed(SLOW_LOG))) == []

    assert {stream: len(rows) for stream, rows in server.streams.items()} == found
    assert not objects("database_logs/search/refused/")


def test_engine_whose_clock_is_wrong_refuses_by_name(server: OpenObserve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEARCH_LATE_STREAM", "late")
    server.past, server.future = -3_600_000_000, 7_200_000_000

    assert _retried(_forward(recent(1))) == []

    [kept] = refused()
    assert "look at both clocks" in kept["reason"]


def test_record_without_time_has_that_of_its_neighbour_or_of_sending(server: OpenObserve) -> None:
    now = datetime.now(UTC)
    log = f"lost line\n{now:%Y-%m-%dT%H:%M:%S.%f}Z 1 [Note] [MY-1] [Server] up\n".encode()
    _forward(parsed(log, file_of(LogType.MYSQL_ERROR)))
    first, second = server.streams["database_logs"]
    assert first["_timestamp"] == second["_timestamp"] == int(now.timestamp() * 1_000_000)

    _forward(parsed(b"garbage\n", file_of(LogType.MYSQL_ERROR, file="other")))
    assert abs(server.streams["database_logs"][2]["_timestamp"] - time.time_ns() // 1_000) < 60_000_000


@pytest.mark.parametrize("status", ["401", "404"])
def test_search_that_denies_the_sender_keeps_the_message_and_no_secret_is_told(
    server: OpenObserve,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    status: str,
) -> None:
    segment = recent()
    if status == "401":
        aws.secrets().update_secret(SecretId="search", SecretString='{"username": "eve", "password": "guess-9"}')
    else:
        monkeypatch.setenv("SEARCH_URL", f"{server.url}/elsewhere")

    assert _retried(_forward(segment)) == ["m0"]

    assert emitted(capsys.readouterr().out)["SearchRequestsFailed"] == 1
    told = str([vars(record) for record in caplog.records])
    assert f"Search answered {status}" in told
    assert "guess-9" not in told
    assert PASSWORD not in told


@pytest.mark.parametrize("text", ["plain-password-1", '{"username": "a"}', '["a"]'])
def test_secret_of_another_form_is_named_and_not_quoted(text: str) -> None:
    segment = recent()
    aws.secrets().update_secret(SecretId="search", SecretString=text)

    with pytest.raises(SearchSecretInvalid, match="is not of the form") as refused:
        _forward(segment)

    assert text not in str(refused.value)


@pytest.fixture
def verification(monkeypatch: pytest.MonkeyPatch) -> str:
    queue = aws.sqs().create_queue(QueueName="verification")["QueueUrl"]
    monkeypatch.setenv("SEARCH_VERIFY_QUEUE_URL", queue)
    return queue


def _verify(verification: str) -> Any:
    return verify_search.handler(batch(*map(json.dumps, received(verification))), Context())


def test_documents_that_were_lost_under_a_good_answer_are_found_missing_and_sent_again(
    server: OpenObserve, verification: str, capsys: pytest.CaptureFixture[str]
) -> None:
    segment = recent()
    server.phases.append("unstored")
    assert _retried(_forward(segment)) == []
    assert not server.ids("database_logs")

    assert _retried(_verify(verification)) == []
    assert emitted(capsys.readouterr().out)["RecordsMissingInSearch"] == 3
    [again] = received(os.environ["SEARCH_QUEUE_URL"])
    _forward(json.dumps(again))

    assert server.ids("database_logs") == lake_records()["event_id"].to_list()
    capsys.readouterr()
    _verify(verification)
    told = emitted(capsys.readouterr().out)
    assert (told["RecordsVerifiedInSearch"], told["RecordsMissingInSearch"]) == (3, 0)
    assert not received(os.environ["SEARCH_QUEUE_URL"])


def test_search_that_loses_documents_again_and_again_is_told_of(server: OpenObserve, verification: str) -> None:
    message = recent().model_dump_json()
    server.phases.extend(["unstored"] * 4)
    for _ in range(3):
        _forward(message)
        _verify(verification)
        message = json.dumps(received(os.environ["SEARCH_QUEUE_URL"])[0])
    _forward(message)

    with pytest.raises(BatchProcessingError, match="Search lacks 3 of 3 documents of segment db-ORDERS-1-"):
        _verify(verification)


def test_documents_of_both_streams_are_looked_for(
    server: OpenObserve, verification: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEARCH_LATE_STREAM", "late")
    monkeypatch.setattr(bulk, "MOST_DOCUMENTS", 2)
    now = datetime.now(UTC)
    _forward(parsed(SLOW_LOG + b"".join(slow_event(now, f"SELECT {number}") for number in range(3))))
    server.streams["late"].pop()

    _verify(verification)

    told = emitted(capsys.readouterr().out)
    assert (told["RecordsVerifiedInSearch"], told["RecordsMissingInSearch"]) == (5, 1)


def test_one_segment_of_several_is_looked_at(
    server: OpenObserve, verification: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEARCH_VERIFY_ONE_IN", "4")
    now = datetime.now(UTC)
    for number in range(12):
        _forward(parsed(slow_event(now, "SELECT 1"), file_of(instance=f"i{number}")))

    assert 0 < len(received(verification)) < 12


def test_search_that_does_not_answer_a_count_keeps_the_message(
    server: OpenObserve, verification: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _forward(recent())
    monkeypatch.setenv("SEARCH_URL", f"{server.url}/elsewhere")
    load.cache_clear()

    with pytest.raises(BatchProcessingError, match="Search does not say what it has of stream database_logs: 404"):
        _verify(verification)


def test_message_of_files_that_were_replaced_is_done_with(server: OpenObserve) -> None:
    segment = recent()
    old = segment.model_copy(update={"keys": [segment.keys[0].replace("-v0004", "-v0001")]})

    assert _retried(_forward(old)) == []
    assert not server.requests


def test_lake_file_that_vanished_keeps_the_message() -> None:
    segment = recent()
    aws.s3().delete_object(Bucket=LAKE, Key=segment.keys[0])

    assert _retried(_forward(segment)) == ["m0"]


def test_broken_message_comes_again_alone(server: OpenObserve) -> None:
    assert _retried(_forward("{}", recent())) == ["m0"]
    assert len(server.ids("database_logs")) == 3


def test_no_secret_means_no_call(server: OpenObserve) -> None:
    segment = recent()
    aws.secrets().delete_secret(SecretId="search", ForceDeleteWithoutRecovery=True)

    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        _forward(segment)

    assert not server.requests
