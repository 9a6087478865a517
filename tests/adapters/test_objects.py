from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from kernel import aws
from kernel.errors import EffectConflict
from kernel.objects import Bucket
from tests.support.aws import LAKE


def _bucket() -> Bucket:
    return Bucket(aws.s3(), LAKE)


def test_same_content_twice_is_one_object() -> None:
    first = _bucket().put_once("k", b"content", "text/plain")
    assert _bucket().put_once("k", b"content", "text/plain") == first
    assert _bucket().get("k") == b"content"


def test_other_content_under_the_same_key_is_refused(tmp_path: Path) -> None:
    _bucket().put_once("k", b"content", "text/plain")
    other = tmp_path / "other"
    other.write_bytes(b"other content")
    with pytest.raises(EffectConflict, match="s3://lake/k exists with SHA-256"):
        _bucket().put_once("k", other, "text/plain")
    assert _bucket().get("k") == b"content"


def test_file_and_bytes_are_the_same_content(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    assert _bucket().put_once("a", path, "text/plain") == _bucket().put_once("b", b"content", "text/plain")


def test_missing_object_is_none() -> None:
    assert _bucket().get("nothing") is None


def test_listing_gives_keys_and_sizes_below_a_prefix() -> None:
    for key in ("a/1", "a/2", "b/1"):
        _bucket().put(key, b"xyz", "text/plain")
    assert list(_bucket().keys("a/")) == [("a/1", 3), ("a/2", 3)]


def test_object_is_replaced_as_it_was_read_and_no_other() -> None:
    bucket = _bucket()
    assert bucket.find("k") is None
    assert bucket.replace("k", b"1", "text/plain", None)
    assert not bucket.replace("k", b"2", "text/plain", None), "there is one by now"

    first = bucket.find("k")
    assert first is not None
    assert bucket.replace("k", b"3", "text/plain", first[1])
    assert not bucket.replace("k", b"4", "text/plain", first[1]), "somebody else has replaced it"
    assert bucket.get("k") == b"3"


def test_object_that_is_gone_is_not_replaced() -> None:
    bucket = _bucket()
    bucket.put("k", b"1", "text/plain")
    found = bucket.find("k")
    assert found is not None
    bucket.delete(["k"])

    assert not bucket.replace("k", b"2", "text/plain", found[1])


def test_fault_of_s3_is_no_refusal() -> None:
    with pytest.raises(ClientError, match="NoSuchBucket"):
        Bucket(aws.s3(), "no-such-bucket").replace("k", b"1", "text/plain", None)
