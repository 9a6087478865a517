import json
from typing import Any

import pytest

from tests.cloud.conftest import App, saw
from tests.support.cloud import finished

pytestmark = pytest.mark.cloud


def run_items(app: App, values: list[Any], **given: Any) -> dict[str, Any]:
    key = app.put_lines("items", [{"value": value} for value in values])
    states = app.client("stepfunctions")
    event = {
        "bucket": app.outputs["LakeBucket"], "key": key, "fail_on": None, "at_once": 4, "tolerated": 0, **given,
    }  # fmt: skip
    started = states.start_execution(stateMachineArn=app.outputs["MachineArn"], input=json.dumps(event))
    described = finished(states, started["executionArn"])
    saw("execution", {key: described.get(key) for key in ("status", "error", "cause", "output")})
    return described


def map_run(app: App, described: dict[str, Any]) -> dict[str, Any]:
    states = app.client("stepfunctions")
    (run,) = states.list_map_runs(executionArn=described["executionArn"])["mapRuns"]
    found: dict[str, Any] = states.describe_map_run(mapRunArn=run["mapRunArn"])
    saw("map run", found)
    return found


def read_json(app: App, key: str) -> Any:
    return json.loads(app.client("s3").get_object(Bucket=app.outputs["LakeBucket"], Key=key)["Body"].read())


def distributed(app: App, **fields: Any) -> dict[str, Any]:
    """Return a Map over AskFunction."""
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Ask",
        "States": {"Ask": app.task("echo", payload={"value": "{% $states.input %}"})},
    }
    ends = {} if "Next" in fields else {"End": True}
    return {"Type": "Map", "Label": "Ask", "MaxConcurrency": 4, "ItemProcessor": processor, **ends, **fields}


def test_expressions_in_every_field_and_results_with_a_manifest(app: App) -> None:
    described = run_items(app, [1, "two", {"three": 3}])
    assert described["status"] == "SUCCEEDED"
    output = json.loads(described["output"])
    manifest = read_json(app, output["manifest"])
    saw("manifest", manifest)
    assert manifest["DestinationBucket"] == app.outputs["LakeBucket"]
    assert manifest["MapRunArn"] == output["run"]
    assert manifest["ResultFiles"]["FAILED"] == manifest["ResultFiles"]["PENDING"] == []
    (file,) = manifest["ResultFiles"]["SUCCEEDED"]
    rows = read_json(app, file["Key"])
    assert [json.loads(row["Output"]) for row in rows] == [1, "two", {"three": 3}]
    assert {row["Status"] for row in rows} == {"SUCCEEDED"}
    assert json.loads(rows[0]["Input"])["value"] == 1


def test_the_map_run_counts_its_items(app: App) -> None:
    run = map_run(app, run_items(app, [1, 2, 3], fail_on=2, tolerated=1, at_once=2))
    counts = run["itemCounts"]
    assert (counts["total"], counts["succeeded"], counts["failed"], counts["resultsWritten"]) == (3, 2, 1, 3)
    assert run["maxConcurrency"] == 2
    assert run["toleratedFailureCount"] == 1
    assert run["status"] == "SUCCEEDED"


@pytest.mark.parametrize(("failing", "status"), [(1, "SUCCEEDED"), (2, "SUCCEEDED"), (3, "FAILED")])
def test_tolerance_holds_below_and_at_the_limit_and_breaks_above(app: App, failing: int, status: str) -> None:
    described = run_items(app, ["bad"] * failing + ["good"] * 3, fail_on="bad", tolerated=2)
    assert described["status"] == status
    if status == "FAILED":
        assert described["error"] == "States.ExceedToleratedFailureThreshold"
        assert map_run(app, described)["status"] == "FAILED"


def test_failed_items_are_listed_with_error_and_cause_even_if_the_map_run_fails(app: App) -> None:
    described = run_items(app, ["bad", "good"], fail_on="bad")
    assert described["status"] == "FAILED"
    folder = f"results/{json.loads(described['input'])['key']}/"
    listed = app.client("s3").list_objects_v2(Bucket=app.outputs["LakeBucket"], Prefix=folder)["Contents"]
    names = {entry["Key"].rsplit("/", 1)[1]: entry["Key"] for entry in listed}
    assert set(names) == {"FAILED_0.json", "SUCCEEDED_0.json", "manifest.json"}
    (row,) = read_json(app, names["FAILED_0.json"])
    assert row["Error"] == "KnownTrouble"
    assert json.loads(row["Cause"])["errorMessage"] == "value bad"


def test_an_object_that_is_not_there_fails_the_item_reader(app: App) -> None:
    described = run_items(app, [], key="inputs/nothing.jsonl")
    assert (described["status"], described["error"]) == ("FAILED", "States.ItemReaderFailed")


def test_an_object_that_is_not_jsonl_fails_the_item_reader(app: App) -> None:
    app.client("s3").put_object(Bucket=app.outputs["LakeBucket"], Key="inputs/broken.jsonl", Body='{"value": 1\n')
    described = run_items(app, [], key="inputs/broken.jsonl")
    assert (described["status"], described["error"]) == ("FAILED", "States.ItemReaderFailed")


def test_no_items_are_no_fault(app: App) -> None:
    described = run_items(app, [])
    assert described["status"] == "SUCCEEDED"
    assert map_run(app, described)["itemCounts"]["total"] == 0


@pytest.mark.parametrize(
    ("config", "body", "expected"),
    [
        ({"InputType": "JSON"}, "[1, 2]", [1, 2]),
        ({"InputType": "JSON", "ItemsPointer": "/a/b"}, '{"a": {"b": [3]}}', [3]),
        ({"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}, "n,m\n1,2\n3\n", [{"n": "1", "m": "2"}, {"n": "3", "m": ""}]),  # noqa: E501
        ({"InputType": "JSONL", "MaxItems": "{% $states.input.max %}"}, "1\n2\n3\n", [1, 2]),
    ],
)  # fmt: skip
def test_each_reader(app: App, config: dict[str, Any], body: str, expected: list[Any]) -> None:
    app.client("s3").put_object(Bucket=app.outputs["LakeBucket"], Key="inputs/read-me", Body=body)
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": config,
        "Arguments": {"Bucket": app.outputs["LakeBucket"], "Key": "{% $states.input.key %}"},
    }
    assert app.output({"Map": distributed(app, ItemReader=reader)}, {"key": "inputs/read-me", "max": 2}) == expected


def test_listed_objects_are_items(app: App) -> None:
    for name in ("b", "a"):
        app.client("s3").put_object(Bucket=app.outputs["LakeBucket"], Key=f"listed/{name}", Body=b"12345")
    reader = {
        "Resource": "arn:aws:states:::s3:listObjectsV2",
        "Arguments": {"Bucket": app.outputs["LakeBucket"], "Prefix": "{% $states.input.prefix %}"},
    }
    items = app.output({"Map": distributed(app, ItemReader=reader)}, {"prefix": "listed/"})
    assert [(item["Key"], item["Size"]) for item in items] == [("listed/a", 5), ("listed/b", 5)]


def test_items_by_expression_with_outer_variables_output_and_assign(app: App) -> None:
    states = {
        "Remember": {"Type": "Pass", "Assign": {"factor": 10}, "Next": "Map"},
        "Map": distributed(
            app,
            Items="{% $states.input.numbers %}",
            ItemSelector="{% $states.context.Map.Item.Value * $factor + $states.context.Map.Item.Index %}",
            Output={"sum": "{% $sum($states.result) %}"},
            Assign={"count": "{% $count($states.result) %}"},
            Next="Done",
        ),
        "Done": {"Type": "Succeed", "Output": {"sum": "{% $states.input.sum %}", "count": "{% $count %}"}},
    }
    assert app.output(states, {"numbers": [1, 2, 3]}) == {"sum": 63, "count": 3}


def test_children_are_executions_of_their_own_without_outer_variables(app: App) -> None:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Look",
        "States": {
            "Look": {
                "Type": "Pass",
                "Output": {
                    "own": "{% $states.context.Execution.Id %}",
                    "outer": "{% $states.input.outer %}",
                    "variable": "{% $exists($secret) %}",
                    "map": "{% $exists($states.context.Map) %}",
                },
                "End": True,
            }
        },
    }
    states = {
        "Remember": {"Type": "Pass", "Assign": {"secret": 1}, "Next": "Map"},
        "Map": distributed(
            app,
            Items=[0],
            ItemSelector={"outer": "{% $states.context.Execution.Id %}"},
            ItemProcessor=processor,
        ),
    }
    (child,) = app.output(states)
    assert child["own"] != child["outer"]
    assert "/Ask:" in child["own"]
    assert (child["variable"], child["map"]) == (False, False)


@pytest.mark.parametrize(
    ("config", "file", "expected"),
    [
        ({"Transformation": "COMPACT", "OutputType": "JSON"}, "SUCCEEDED_0.json", "[[1, 2], 3]"),
        ({"Transformation": "FLATTEN", "OutputType": "JSONL"}, "SUCCEEDED_0.jsonl", "1\n2\n3\n"),
    ],
)
def test_result_transformations(app: App, config: dict[str, str], file: str, expected: str) -> None:
    writer = {
        "Resource": "arn:aws:states:::s3:putObject",
        "WriterConfig": config,
        "Arguments": {"Bucket": app.outputs["LakeBucket"], "Prefix": "transformed"},
    }
    result = app.output({"Map": distributed(app, Items=[[1, 2], 3], ResultWriter=writer)})
    key = result["ResultWriterDetails"]["Key"].replace("manifest.json", file)
    body = app.client("s3").get_object(Bucket=app.outputs["LakeBucket"], Key=key)["Body"].read().decode()
    assert body == expected


def test_a_bucket_that_is_not_there_fails_the_result_writer(app: App) -> None:
    writer = {"Resource": "arn:aws:states:::s3:putObject", "Arguments": {"Bucket": "not-there", "Prefix": "x"}}
    described = app.run({"Map": distributed(app, Items=[1], ResultWriter=writer)})
    assert (described["status"], described["error"]) == ("FAILED", "States.ResultWriterFailed")


def test_two_maps_side_by_side_keep_their_results_apart(app: App) -> None:
    def branch(number: int) -> dict[str, Any]:
        writer = {
            "Resource": "arn:aws:states:::s3:putObject",
            "Arguments": {"Bucket": app.outputs["LakeBucket"], "Prefix": f"apart/{number}"},
        }
        state = distributed(app, Items=[number] * 3, ResultWriter=writer)
        return {"StartAt": "Map", "States": {"Map": state}}

    results = app.output({"Both": {"Type": "Parallel", "Branches": [branch(n) for n in range(4)], "End": True}})
    for number, result in enumerate(results):
        manifest = read_json(app, result["ResultWriterDetails"]["Key"])
        assert manifest["MapRunArn"] == result["MapRunArn"]
        rows = read_json(app, manifest["ResultFiles"]["SUCCEEDED"][0]["Key"])
        assert [json.loads(row["Output"]) for row in rows] == [number] * 3


def test_results_that_do_not_fit_a_state_fail_after_the_work(app: App) -> None:
    described = app.run(
        {
            "Map": distributed(
                app,
                Items="{% [1..3] %}",
                ItemSelector="{% $pad('', 100000, 'x') %}",
                Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
            ),
            "Caught": {"Type": "Succeed"},
        }
    )
    assert (described["status"], described["error"]) == ("FAILED", "States.DataLimitExceeded")


def test_item_batches_are_refused_aloud(app: App) -> None:
    described = app.run({"Map": distributed(app, Items=[1], ItemBatcher={"MaxItemsPerBatch": 2})})
    assert (described["status"], described["error"]) == ("FAILED", "States.Runtime")
    assert "does not emulate ItemBatcher" in described["cause"]


def test_known_divergence_a_broken_tolerance_does_not_stop_the_other_items(app: App) -> None:
    # On AWS the Map Run fails at once and lists the rest as PENDING.
    run = map_run(app, run_items(app, ["bad"] + ["good"] * 20, fail_on="bad", at_once=1))
    assert (run["status"], run["itemCounts"]["succeeded"]) == ("FAILED", 20)
