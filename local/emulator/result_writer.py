# ruff: noqa: SLF001 - MiniStack's private names are what is replaced here; seams.py checks them at start
"""What a Distributed Map leaves: its results in the state, or files in S3 with a manifest.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html. AWS splits result files at 5 GB;
here each status has one.
"""

import json
from itertools import chain
from typing import Any

from ministack.services import s3
from ministack.services import stepfunctions as sfn


def results(writer: dict[str, Any] | None, map_run_arn: str, children: list[dict[str, Any]], outputs: list[Any]) -> Any:
    """Return the result of a Map state whose Map Run succeeded.

    Args:
        writer: The evaluated ResultWriter.
        map_run_arn: The Map Run.
        children: Its child workflow executions in the order of the items.
        outputs: The children's outputs, as MiniStack lists them.
    """
    if writer is not None and "Resource" in writer:
        return write(writer, map_run_arn, children)
    if all(child["status"] == "SUCCEEDED" for child in children) and writer is None:
        return outputs
    return _transformed(writer, children, default="COMPACT")


def write(writer: dict[str, Any], map_run_arn: str, children: list[dict[str, Any]]) -> dict[str, Any]:
    """Write the result files and the manifest; return the Map state's result.

    Raises:
        _ExecutionError: States.ResultWriterFailed, if S3 refuses an object.
    """
    place = writer.get("Arguments") or {}
    bucket, prefix = place.get("Bucket", ""), place.get("Prefix", "").rstrip("/")
    folder = "/".join(filter(None, [prefix, map_run_arn.rsplit(":", 1)[-1]]))
    files: dict[str, list[dict[str, Any]]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
    lines = writer.get("WriterConfig", {}).get("OutputType", "JSON") == "JSONL"
    for status, listed in files.items():
        of_status = [child for child in children if child["status"] == status]
        if of_status:
            rows = _transformed(writer, of_status, default="NONE")
            body = "".join(f"{json.dumps(row)}\n" for row in rows) if lines else json.dumps(rows)
            key = f"{folder}/{status}_0.{'jsonl' if lines else 'json'}"
            listed.append({"Key": key, "Size": _put(bucket, key, body)})
    manifest = {"DestinationBucket": bucket, "MapRunArn": map_run_arn, "ResultFiles": files}
    _put(bucket, f"{folder}/manifest.json", json.dumps(manifest))
    sfn._map_runs[map_run_arn]["itemCounts"]["resultsWritten"] = len(children)
    return {
        "MapRunArn": map_run_arn,
        "ResultWriterDetails": {"Bucket": bucket, "Key": f"{folder}/manifest.json"},
    }


def _transformed(writer: dict[str, Any] | None, children: list[dict[str, Any]], default: str) -> list[Any]:
    transformation = (writer or {}).get("WriterConfig", {}).get("Transformation", default)
    if transformation == "NONE":
        return [_row(child) for child in children]
    # A child that failed is reported with its metadata whatever the transformation.
    rows = [json.loads(c["output"]) if c["status"] == "SUCCEEDED" else _row(c) for c in children]
    if transformation == "FLATTEN":
        return list(chain.from_iterable(row if isinstance(row, list) else [row] for row in rows))
    return rows


def _row(child: dict[str, Any]) -> dict[str, Any]:
    status = child["status"]
    fields = ("executionArn", "input", "name", "output", "error", "cause", "startDate", "stateMachineArn", "stopDate")
    return {
        **{field[0].upper() + field[1:]: child[field] for field in fields if child.get(field) is not None},
        "InputDetails": {"Included": True},
        "OutputDetails": {"Included": True},
        "RedriveCount": 0,
        "RedriveStatus": "REDRIVABLE_BY_MAP_RUN" if status == "FAILED" else "NOT_REDRIVABLE",
        "Status": status,
    }


def _put(bucket: str, key: str, text: str) -> int:
    body = text.encode()
    status, _, _ = s3._put_object(bucket, key, body, {"content-type": "application/json"})
    if status != 200:  # noqa: PLR2004 - HTTP
        raise sfn._ExecutionError("States.ResultWriterFailed", f"S3 refuses s3://{bucket}/{key} (HTTP {status}).")
    return len(body)
