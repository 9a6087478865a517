"""The test server against an independent client, so that what speaks to it is not all that it was made for."""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from opensearchpy import OpenSearch, TransportError
from opensearchpy.helpers import bulk

from tests.support.openobserve import PASSWORD, USER, OpenObserve, running


@pytest.fixture
def server() -> Iterator[OpenObserve]:
    with running() as listening:
        yield listening


def _client(server: OpenObserve, password: str = PASSWORD) -> OpenSearch:
    place = urlsplit(server.url)
    host = {"host": place.hostname, "port": place.port, "url_prefix": place.path.strip("/")}
    return OpenSearch(hosts=[host], http_auth=(USER, password), http_compress=True, max_retries=0)


def _documents(*numbers: int, **fields: Any) -> list[dict[str, Any]]:
    return [
        {"_op_type": "create", "_index": "logs", "_id": f"id-{number}", "_source": {"number": number, **fields}}
        for number in numbers
    ]


def test_documents_of_another_client_are_stored_and_found(server: OpenObserve) -> None:
    now = time.time_ns() // 1_000
    with _client(server) as client:
        stored, errors = bulk(client, _documents(1, 2, 3, _timestamp=now, who={"name": "Ann"}))
        query = {"sql": 'SELECT _id, who_name FROM "logs" WHERE number > 1 ORDER BY number', "size": 10}
        found = client.transport.perform_request(
            "POST", "/_search", body={"query": {**query, "start_time": now, "end_time": now + 1}}
        )

    assert (stored, errors) == (3, [])
    assert found["hits"] == [{"_id": "id-2", "who_name": "Ann"}, {"_id": "id-3", "who_name": "Ann"}]


@pytest.mark.parametrize(("hours", "words"), [(-6, "Too old data"), (25, "Too far data")])
def test_times_outside_of_the_window_fail_alone(server: OpenObserve, hours: int, words: str) -> None:
    now = time.time_ns() // 1_000
    late = _documents(2, _timestamp=now + hours * 3_600_000_000)
    with _client(server) as client:
        stored, errors = bulk(client, [*_documents(1, _timestamp=now), *late], raise_on_error=False)

    assert stored == 1
    assert isinstance(errors, list)
    assert errors[0]["create"]["error"]["reason"].startswith(words)
    assert server.ids("logs") == ["id-1"]


def test_time_is_told_by_its_magnitude_and_missing_is_now(server: OpenObserve) -> None:
    now = time.time_ns()
    units = [now // 10**9, now // 10**6, now // 10**3, now]
    with _client(server) as client:
        for number, value in enumerate([*units, 0]):
            bulk(client, _documents(number, _timestamp=value))

    times = [row["_timestamp"] for row in server.streams["logs"]]
    assert all(abs(at - now // 1_000) < 60_000_000 for at in times)
    assert times[2] == times[3]


def test_value_of_another_type_fails_while_errors_is_false(server: OpenObserve) -> None:
    with _client(server) as client:
        client.bulk(body=[{"create": {"_index": "logs", "_id": "a"}}, {"rows": 1}])
        answer = client.bulk(body=[{"create": {"_index": "logs", "_id": "b"}}, {"rows": "many"}])

    assert answer["errors"] is False
    assert answer["items"][0]["create"]["error"]["type"] == "schema_conformance_failed"


def test_what_is_sent_twice_is_stored_twice(server: OpenObserve) -> None:
    with _client(server) as client:
        bulk(client, _documents(1))
        bulk(client, _documents(1))

    assert server.ids("logs") == ["id-1", "id-1"]


@pytest.mark.parametrize(("phase", "status"), [("503", 503), ("429", 429), ("quota", 400)])
def test_phases_refuse_the_whole_request(server: OpenObserve, phase: Any, status: int) -> None:
    server.phases.append(phase)
    with _client(server) as client, pytest.raises(TransportError) as refused:
        client.bulk(body=[{"create": {"_index": "logs"}}, {"a": 1}])

    assert refused.value.status_code == status
    assert not server.streams


@pytest.mark.parametrize(("phase", "items", "stored"), [("unstored", 2, 0), ("dropped", 1, 1), ("breaker", 1, 0)])
def test_phases_answer_200_for_what_was_not_stored(server: OpenObserve, phase: Any, items: int, stored: int) -> None:
    server.phases.append(phase)
    with _client(server) as client:
        answer = client.bulk(
            body=[{"create": {"_index": "logs", "_id": "a"}}, {"n": 1}, {"index": {"_index": "logs", "_id": "b"}}, {}]
        )

    assert len(answer["items"]) == items
    assert len(server.ids("logs")) == stored


def test_one_unreadable_line_costs_the_whole_request(server: OpenObserve) -> None:
    body = b'{"create":{"_index":"logs","_id":"a"}}\n{"n":1}\n{"create":{"_index":"logs"}}\n{"n":\n'
    with _client(server) as client, pytest.raises(TransportError) as refused:
        client.bulk(body=body.decode())

    assert refused.value.status_code == 400
    assert not server.ids("logs")


def test_stranger_is_not_let_in(server: OpenObserve) -> None:
    with _client(server, password="wrong") as client, pytest.raises(TransportError) as refused:  # noqa: S106
        client.bulk(body=[{"create": {"_index": "logs"}}, {"a": 1}])

    assert refused.value.status_code == 401
