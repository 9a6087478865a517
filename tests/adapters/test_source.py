import re
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from firewall_logs.adapters.source import SourceCatalogue, SourceListing, SourceReader
from firewall_logs.contracts import ObjectRef, SourceObject
from firewall_logs.errors import SourceChanged, SourceUnreadable
from kernel import aws
from tests.support.answers import Body
from tests.support.aws import LAKE, RAW, sources
from tests.support.firewall import a_feed, a_slice

KEY = "cloudflare/47/ä +=%.parquet"


def _put(body: bytes) -> SourceObject:
    version = aws.s3().put_object(Bucket=RAW, Key=KEY, Body=body)["VersionId"]
    source = SourceCatalogue(sources()).describe(ObjectRef(bucket=RAW, key=KEY, version_id=version))
    assert source is not None
    return source


def test_object_is_described_with_its_version() -> None:
    source = _put(b"12345")
    assert (source.size, source.key) == (5, KEY)
    assert source.version_id


def test_missing_object_is_none() -> None:
    assert SourceCatalogue(sources()).describe(ObjectRef(bucket=RAW, key="nothing")) is None


def test_deleted_object_is_none() -> None:
    _put(b"12345")
    aws.s3().delete_object(Bucket=RAW, Key=KEY)
    assert SourceCatalogue(sources()).describe(ObjectRef(bucket=RAW, key=KEY)) is None


def test_objects_below_a_prefix_are_listed() -> None:
    _put(b"1")
    aws.s3().put_object(Bucket=RAW, Key="elsewhere/x", Body=b"1")
    assert [ref.key for ref in SourceCatalogue(sources()).below(a_feed(), "cloudflare/")] == [KEY]


def test_versions_below_a_prefix_are_the_current_ones_as_described() -> None:
    _put(b"1")
    current = _put(b"22")
    aws.s3().put_object(Bucket=RAW, Key="elsewhere/x", Body=b"1")
    assert list(SourceListing(sources()).versions(a_feed(), "cloudflare/")) == [current]


def test_deleted_object_has_no_current_version() -> None:
    _put(b"12345")
    aws.s3().delete_object(Bucket=RAW, Key=KEY)
    assert list(SourceListing(sources()).versions(a_feed(), "cloudflare/")) == []


def test_object_of_a_bucket_without_versions_has_none() -> None:
    aws.s3().put_object(Bucket=LAKE, Key="cloudflare/47/a", Body=b"1")
    [found] = SourceListing(sources()).versions(a_feed(bucket=LAKE), "cloudflare/")
    assert found.version_id is None
    assert found == SourceCatalogue(sources()).describe(ObjectRef(bucket=LAKE, key="cloudflare/47/a"))


def test_versions_of_more_than_a_page_are_all_listed() -> None:
    for name in range(1005):
        aws.s3().put_object(Bucket=RAW, Key=f"cloudflare/47/{name:04}", Body=b"")
    keys = [found.key for found in SourceListing(sources()).versions(a_feed(), "cloudflare/47/")]
    assert keys == [f"cloudflare/47/{name:04}" for name in range(1005)]


def _refuse(operation: str, code: str = "AccessDenied") -> None:
    """Let S3 refuse an operation from now on."""
    body = f"<Error><Code>{code}</Code></Error>".encode()

    def refuse(request: Any, **_: Any) -> Any:
        return AWSResponse(request.url, 403, HTTPHeaders(), Body(b"" if operation == "HeadObject" else body))

    aws.s3().meta.events.register_first(f"before-send.s3.{operation}", refuse)


def test_refused_object_is_unreadable() -> None:
    _put(b"12345")
    _refuse("HeadObject")
    with pytest.raises(SourceUnreadable, match=r"S3 refuses it \(403\) to the function's own role"):
        SourceCatalogue(sources()).describe(ObjectRef(bucket=RAW, key=KEY))


@pytest.mark.parametrize(("code"), ["AccessDenied", "NoSuchBucket"])
def test_refused_listing_names_feed_place_and_reader(code: str) -> None:
    for operation in ("ListObjectsV2", "ListObjectVersions"):
        _refuse(operation, code)
    catalogue, versions = SourceCatalogue(sources()), SourceListing(sources())
    for listing in (catalogue.below, versions.versions):
        with pytest.raises(
            SourceUnreadable,
            match=rf"Feed '47' cannot be listed below s3://raw/cloudflare/: S3 refuses it \({code}\) to the function's",
        ):
            next(listing(a_feed(), "cloudflare/"))


@pytest.mark.parametrize(("code"), ["AccessDenied", "InvalidObjectState"])
def test_object_that_may_not_be_read_after_all_is_unreadable(tmp_path: Path, code: str) -> None:
    source = _put(b"first")
    _refuse("GetObject", code)
    with pytest.raises(SourceUnreadable, match=rf"s3://raw/{re.escape(KEY)}: S3 refuses it \({code}\)"):
        SourceReader(sources()).fetch(a_slice(source=source), tmp_path / "raw")


def test_planned_version_is_read_even_when_it_is_overwritten(tmp_path: Path) -> None:
    source = _put(b"first")
    _put(b"second")
    SourceReader(sources()).fetch(a_slice(source=source), tmp_path / "raw")
    assert (tmp_path / "raw").read_bytes() == b"first"


def test_overwritten_object_without_versions_is_refused(tmp_path: Path) -> None:
    source = _put(b"first").model_copy(update={"version_id": None})
    _put(b"other")
    with pytest.raises(SourceChanged, match="no longer the version that was planned"):
        SourceReader(sources()).fetch(a_slice(source=source), tmp_path / "raw")


def test_vanished_object_is_refused(tmp_path: Path) -> None:
    source = _put(b"first")
    aws.s3().delete_object(Bucket=RAW, Key=KEY, VersionId=str(source.version_id))
    with pytest.raises(SourceChanged):
        SourceReader(sources()).fetch(a_slice(source=source), tmp_path / "raw")


def test_whole_object_in_answer_to_a_range_is_cut_to_it(tmp_path: Path) -> None:
    source = _put(b"0123456789")
    s3 = aws.s3()

    def ignore_range(params: dict[str, Any], **_: Any) -> None:
        params["headers"].pop("Range")

    s3.meta.events.register("before-call.s3.GetObject", ignore_range)
    SourceReader(sources()).fetch(a_slice(source=source, byte_ranges=((0, 2), (7, 10))), tmp_path / "raw")
    assert (tmp_path / "raw").read_bytes() == b"01" + b"\0" * 5 + b"789"


def test_byte_ranges_land_at_their_offsets(tmp_path: Path) -> None:
    source = _put(b"0123456789")
    reader = SourceReader(sources())
    reader.fetch(a_slice(source=source, byte_ranges=((0, 2), (7, 10))), tmp_path / "raw")
    assert (tmp_path / "raw").read_bytes() == b"01" + b"\0" * 5 + b"789"
    assert (reader.gets, reader.bytes) == (2, 5)
