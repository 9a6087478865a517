"""What runs and seals have left, kept to be put back: a test of what comes after need not have it made again."""

import hashlib
from dataclasses import dataclass
from typing import Any

from tests.support.aws import LAKE, RUNS, TABLES

Item = dict[str, Any]


@dataclass(frozen=True)
class State:
    """Lake, runs and tables. The raw bucket is no part of it: its objects keep their versions, and so their identity.

    Attributes:
        objects: By bucket and key, with what S3 keeps beside the bytes.
        items: By table.
    """

    objects: dict[str, dict[str, dict[str, Any]]]
    items: dict[str, list[Item]]

    @classmethod
    def of(cls, s3: Any, dynamodb: Any) -> "State":
        """Return what there is."""
        objects = {bucket: {key: _read(s3, bucket, key) for key in _listed(s3, bucket)} for bucket in (LAKE, RUNS)}
        return cls(objects, {table: _items(dynamodb, table) for table in TABLES})

    def put_back(self, s3: Any, dynamodb: Any) -> None:
        """Let this be all there is; what is there already is left alone."""
        for bucket, objects in self.objects.items():
            found = _listed(s3, bucket)
            if gone := found.keys() - objects.keys():
                s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in gone]})
            for key, stored in objects.items():
                if found.get(key) != _etag(stored["Body"]):
                    s3.put_object(Bucket=bucket, Key=key, **stored)
        for table, items in self.items.items():
            there = _items(dynamodb, table)
            wanted = [_key(table, item) for item in items]
            for item in there:
                if _key(table, item) not in wanted:
                    dynamodb.delete_item(TableName=table, Key=_key(table, item))
            for item in items:
                if item not in there:
                    dynamodb.put_item(TableName=table, Item=item)


NOTHING = State({LAKE: {}, RUNS: {}}, {table: [] for table in TABLES})


def _listed(s3: Any, bucket: str) -> dict[str, str]:
    """Return the ETag of each object."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {entry["Key"]: entry["ETag"].strip('"') for page in pages for entry in page.get("Contents", [])}


def _read(s3: Any, bucket: str, key: str) -> dict[str, Any]:
    answer = s3.get_object(Bucket=bucket, Key=key)
    return {"Body": answer["Body"].read(), "ContentType": answer["ContentType"], "Metadata": answer["Metadata"]}


def _etag(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def _items(dynamodb: Any, table: str) -> list[Item]:
    items: list[Item] = dynamodb.scan(TableName=table, ConsistentRead=True)["Items"]
    return items


def _key(table: str, item: Item) -> Item:
    return {name: item[name] for name in TABLES[table]}
