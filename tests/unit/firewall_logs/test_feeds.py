import json

import pytest

from firewall_logs.errors import FeedConfigInvalid, FeedUnknown
from firewall_logs.feeds import Feeds, is_log
from tests.support.firewall import FEEDS


def test_object_belongs_to_the_feed_whose_prefix_holds_it() -> None:
    feeds = Feeds(FEEDS)
    owner = feeds.owner("raw", "cloudflare/47/2026/x.parquet")
    assert owner is not None
    assert owner.name == "47"
    assert feeds.owner("raw", "cloudflare/470/x.parquet") is None
    assert feeds.owner("elsewhere", "cloudflare/47/x.parquet") is None


def test_unknown_feed_is_refused_with_the_known_ones() -> None:
    with pytest.raises(FeedUnknown, match=r"There is no feed '48'. The feeds are: 2.ford, 47."):
        Feeds(FEEDS).named("48")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("format", "csv"),
        ("prefix", "no-slash-at-the-end"),
        ("prefix", "/leading/"),
        ("bucket", "No_Bucket"),
        ("zone", ""),
        ("naive_times", "local"),
        ("colour", "blue"),
    ],
)
def test_wrong_field_is_named_with_its_feed(field: str, value: str) -> None:
    document = json.loads(FEEDS)
    document[1][field] = value
    with pytest.raises(FeedConfigInvalid, match=f"field '{field}' of feed '47'"):
        Feeds(json.dumps(document))


def test_missing_field_is_named() -> None:
    document = json.loads(FEEDS)
    del document[0]["zone"]
    with pytest.raises(FeedConfigInvalid, match=r"field 'zone' of feed '2.ford': Field required"):
        Feeds(json.dumps(document))


@pytest.mark.parametrize("document", ["{", "[]", "7", '["text"]'])
def test_document_of_the_wrong_shape_is_refused(document: str) -> None:
    with pytest.raises(FeedConfigInvalid, match="The feeds are"):
        Feeds(document)


def test_two_feeds_may_not_own_one_object() -> None:
    document = json.loads(FEEDS)
    document[1]["prefix"] = "cloudflare/2.ford/inner/"
    with pytest.raises(FeedConfigInvalid, match=r"'prefix' of feed '47'.*overlaps with that of feed '2.ford'"):
        Feeds(json.dumps(document))


def test_names_are_unique() -> None:
    document = json.loads(FEEDS)
    document[1]["name"] = "2.ford"
    with pytest.raises(FeedConfigInvalid, match=r"'name' '2.ford': names are unique"):
        Feeds(json.dumps(document))


@pytest.mark.parametrize(
    ("key", "log"),
    [
        ("cloudflare/3/20260601/a.log.gz", True),
        ("cloudflare/3/20260601/", False),
        ("cloudflare/3/20260601/ownership-challenge-1.txt", False),
        ("cloudflare/ownership-challenge/a.log.gz", True),
    ],
)
def test_folder_markers_and_proofs_of_ownership_are_no_logs(key: str, *, log: bool) -> None:
    assert is_log(key) is log
