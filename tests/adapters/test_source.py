from pathlib import Path
from typing import Any

import pytest

from firewall_logs.adapters.source import SourceCatalogue, SourceReader
from firewall_logs.contracts import ObjectRef, SourceObject
from firewall_logs.errors import SourceChanged
from kernel import aws
from tests.support.aws import RAW
from tests.support.firewall import a_slice

KEY = "cloudflare/47/ä +=%.parquet"


def _put(body: bytes) -> SourceObject:
    version = aws.s3().put_object(Bucket=RAW, Key=KEY, Body=body)["VersionId"]
    source = SourceCatalogue(aws.s3()).describe(ObjectRef(bucket=RAW, key=KEY, version_id=version))
    assert source is not None
    return source


def test_object_is_described_with_its_version() -> None:
    source = _put(b"12345")
    assert (source.size, source.key) == (5, KEY)
    assert source.version_id


def test_missing_object_is_none() -> None:
    assert SourceCatalogue(aws.s3()).describe(ObjectRef(bucket=RAW, key="nothing")) is None


def test_deleted_object_is_none() -> None:
    _put(b"12345")
    aws.s3().delete_object(Bucket=RAW, Key=KEY)
    assert SourceCatalogue(aws.s3()).describe(ObjectRef(bucket=RAW, key=KEY)) is None


def test_objects_below_a_prefix_are_listed() -> None:
    _put(b"1")
    aws.s3().put_object(Bucket=RAW, Key="elsewhere/x", Body=b"1")
    assert [ref.key for ref in SourceCatalogue(aws.s3()).below(RAW, "cloudflare/")] == [KEY]


def test_planned_version_is_read_even_when_it_is_overwritten(tmp_path: Path) -> None:
    source = _put(b"first")
    _put(b"second")
    SourceReader(aws.s3()).fetch(a_slice(source=source), tmp_path / "raw")
    assert (tmp_path / "raw").read_bytes() == b"first"


def test_overwritten_object_without_versions_is_refused(tmp_path: Path) -> None:
    source = _put(b"first").model_copy(update={"version_id": None})
    _put(b"other")
    with pytest.raises(SourceChanged, match="no longer the version that was planned"):
        SourceReader(aws.s3()).fetch(a_slice(source=source), tmp_path / "raw")


def test_vanished_object_is_refused(tmp_path: Path) -> None:
    source = _put(b"first")
    aws.s3().delete_object(Bucket=RAW, Key=KEY, VersionId=str(source.version_id))
    with pytest.raises(SourceChanged):
        SourceReader(aws.s3()).fetch(a_slice(source=source), tmp_path / "raw")


def test_whole_object_in_answer_to_a_range_is_cut_to_it(tmp_path: Path) -> None:
    source = _put(b"0123456789")
    s3 = aws.s3()

    def ignore_range(params: dict[str, Any], **_: Any) -> None:
        params["headers"].pop("Range")

    s3.meta.events.register("before-call.s3.GetObject", ignore_range)
    SourceReader(s3).fetch(a_slice(source=source, byte_ranges=((0, 2), (7, 10))), tmp_path / "raw")
    assert (tmp_path / "raw").read_bytes() == b"01" + b"\0" * 5 + b"789"


def test_byte_ranges_land_at_their_offsets(tmp_path: Path) -> None:
    source = _put(b"0123456789")
    reader = SourceReader(aws.s3())
    reader.fetch(a_slice(source=source, byte_ranges=((0, 2), (7, 10))), tmp_path / "raw")
    assert (tmp_path / "raw").read_bytes() == b"01" + b"\0" * 5 + b"789"
    assert (reader.gets, reader.bytes) == (2, 5)
