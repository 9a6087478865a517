from pathlib import Path

import pytest

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
