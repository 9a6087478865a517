import json
import uuid
from typing import Any

import pytest

from tests.cloud.conftest import App, saw
from tests.support.cloud import eventually, finished

pytestmark = pytest.mark.cloud


def noted(app: App, key: str) -> dict[str, Any]:
    """Wait until ConsumeFunction has written a row, and return it."""
    table = app.client("dynamodb")

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] | None = table.get_item(TableName=app.outputs["LedgerTable"], Key={"pk": {"S": key}}).get(
            "Item"
        )
        return found

    row = eventually(look)
    saw(key, row)
    return row


def test_an_object_reaches_the_function_through_event_rule_queue_and_batch(app: App) -> None:
    name = uuid.uuid4().hex
    for number in range(3):
        app.client("s3").put_object(Bucket=app.outputs["LakeBucket"], Key=f"arrivals/{name}/{number}", Body=b"x")
    rows = [noted(app, f"message/arrivals/{name}/{number}") for number in range(3)]
    # What comes within the batching window of a second comes together.
    assert [row["batch"]["N"] for row in rows] == ["3"] * 3
    event = json.loads(rows[0]["body"]["S"])
    assert (event["source"], event["detail-type"]) == ("aws.s3", "Object Created")
    assert event["detail"]["bucket"]["name"] == app.outputs["LakeBucket"]
    assert event["detail"]["object"]["size"] == 1


def test_objects_that_no_rule_wants_go_nowhere(app: App) -> None:
    name = uuid.uuid4().hex
    app.client("s3").put_object(Bucket=app.outputs["LakeBucket"], Key=f"elsewhere/{name}", Body=b"x")
    app.client("s3").put_object(Bucket=app.outputs["LakeBucket"], Key=f"arrivals/{name}", Body=b"x")
    noted(app, f"message/arrivals/{name}")
    table = app.client("dynamodb")
    assert "Item" not in table.get_item(
        TableName=app.outputs["LedgerTable"], Key={"pk": {"S": f"message/elsewhere/{name}"}}
    )


def test_of_a_batch_only_what_failed_goes_to_the_dead_letters(app: App) -> None:
    sqs, name = app.client("sqs"), uuid.uuid4().hex
    # The failed one becomes visible again, is found to have been received once too often, and is moved.
    sqs.set_queue_attributes(QueueUrl=app.outputs["QueueUrl"], Attributes={"VisibilityTimeout": "2"})
    entries = [
        {"Id": str(number), "MessageBody": json.dumps({"subject": f"{name}-{number}", "fail": number == 1})}
        for number in range(3)
    ]
    sqs.send_message_batch(QueueUrl=app.outputs["QueueUrl"], Entries=entries)
    noted(app, f"message/{name}-0")
    noted(app, f"message/{name}-2")
    dead = eventually(lambda: sqs.receive_message(QueueUrl=app.outputs["DeadLetterQueueUrl"]).get("Messages"))
    saw("dead letters", dead)
    assert [json.loads(message["Body"])["subject"] for message in dead] == [f"{name}-1"]


def test_an_event_on_a_bus_of_ones_own_reaches_its_rule(app: App) -> None:
    name = uuid.uuid4().hex
    app.client("events").put_events(
        Entries=[
            {
                "EventBusName": app.outputs["BusName"],
                "Source": "fixture",
                "DetailType": "Thing Happened",
                "Detail": json.dumps({"subject": name}),
            }
        ]
    )
    assert json.loads(noted(app, f"event/{name}/-")["body"]["S"])["detail-type"] == "Thing Happened"


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_the_end_of_an_execution_is_an_event(app: App, status: str) -> None:
    states = app.client("stepfunctions")
    if status == "FAILED":
        described = app.run({"Fail": {"Type": "Fail", "Error": "Planned", "Cause": "by the test"}})
    elif status == "TIMED_OUT":
        described = app.run({"Wait": {"Type": "Wait", "Seconds": 2, "End": True}}, TimeoutSeconds=1)
    else:
        machine = app.run({"Pass": {"Type": "Pass", "End": True}})["stateMachineArn"]
        waiting = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 2, "End": True}}}
        states.update_state_machine(stateMachineArn=machine, definition=json.dumps(waiting))
        execution = states.start_execution(stateMachineArn=machine)["executionArn"]
        states.stop_execution(executionArn=execution)
        described = finished(states, execution)
    assert described["status"] == status
    event = json.loads(noted(app, f"event/{described['name']}/{status}")["body"]["S"])
    assert event["detail"]["executionArn"] == described["executionArn"]
    if status == "FAILED":
        assert (event["detail"]["error"], event["detail"]["cause"]) == ("Planned", "by the test")
