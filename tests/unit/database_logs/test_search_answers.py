import json
from datetime import UTC, datetime
from typing import Any

import pytest

from database_logs.search.answers import Answer, outcome
from database_logs.search.bulk import entry
from database_logs.search.documents import Document
from database_logs.search.sinks import SINKS

ELASTICSEARCH = SINKS["elasticsearch"]
AT = int(datetime(2026, 6, 7, tzinfo=UTC).timestamp()) * 1_000_000
SENT = [entry(Document(f"id-{number}", AT, f'{{"n":{number}}}'), "logs", AT, ELASTICSEARCH) for number in range(3)]


def _answer(*statuses: int) -> Answer:
    items: list[dict[str, Any]] = [
        {"create": {"_index": "logs", "_id": f"id-{number}", "status": status}}
        for number, status in enumerate(statuses)
    ]
    for item in items:
        if item["create"]["status"] >= 400:
            item["create"]["error"] = {"type": "some_exception", "reason": "because"}
    return Answer(200, json.dumps({"took": 3, "errors": True, "items": items}).encode())


def test_a_data_stream_has_its_time_and_its_id() -> None:
    action, document = map(json.loads, SENT[1].body.splitlines())

    assert action == {"create": {"_index": "logs", "_id": "id-1"}}
    assert document == {"n": 1, "@timestamp": "2026-06-07T00:00:00.000000+00:00"}


def test_document_that_is_there_already_is_stored() -> None:
    found = outcome(_answer(201, 409, 201), SENT, ELASTICSEARCH)

    assert found.stored == SENT


def test_busy_shard_gets_its_documents_again_and_the_others_count() -> None:
    found = outcome(_answer(201, 429, 503), SENT, ELASTICSEARCH)

    assert found.stored == SENT[:1]
    assert found.again == SENT[1:]


def test_document_that_does_not_fit_the_mapping_is_refused_with_the_reason() -> None:
    found = outcome(_answer(201, 400, 201), SENT, ELASTICSEARCH)

    assert found.refused == [(SENT[1], "400: some_exception: because")]


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b'{"items": 3}', b'{"items": [3, {}, {"create": 3}, {"create": {"status": 201}}]}'],
)
def test_an_answer_that_speaks_of_no_document_stores_none(body: bytes) -> None:
    found = outcome(Answer(200, body), SENT, ELASTICSEARCH)

    assert (found.stored, found.again) == ([], SENT)


def test_items_are_known_by_their_ids_and_not_by_their_places() -> None:
    answer = json.loads(_answer(400, 201, 201).body)
    answer["items"].reverse()

    found = outcome(Answer(200, json.dumps(answer).encode()), SENT, ELASTICSEARCH)

    assert [refused.document.event_id for refused, _ in found.refused] == ["id-0"]
