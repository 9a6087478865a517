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


ACCESS = {"role_arn": "arn:aws:iam::222222222222:role/gatehouse-source-media", "external_id": "gatehouse-4711"}


def _with_access(**given: str) -> str:
    document = json.loads(FEEDS)
    document[1]["access"] = ACCESS | given
    return json.dumps(document)


def test_feed_may_name_the_role_that_reads_it() -> None:
    access = Feeds(_with_access()).named("47").access
    assert access is not None
    assert (access.role_arn, access.external_id) == (ACCESS["role_arn"], ACCESS["external_id"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("role_arn", "gatehouse-source"),
        ("role_arn", "arn:aws:iam::222222222222:user/reader"),
        ("role_arn", "arn:aws:iam::2222:role/reader"),
        ("external_id", ""),
        ("external_id", "two words"),
        ("session_name", "mine"),
    ],
)
def test_wrong_field_of_an_access_is_named_with_its_feed(field: str, value: str) -> None:
    with pytest.raises(FeedConfigInvalid, match=f"field 'access.{field}' of feed '47'"):
        Feeds(_with_access(**{field: value}))


@pytest.mark.parametrize("field", ["role_arn", "external_id"])
def test_role_and_external_id_are_given_together(field: str) -> None:
    document = json.loads(_with_access())
    del document[1]["access"][field]
    with pytest.raises(FeedConfigInvalid, match=rf"field 'access.{field}' of feed '47': Field required"):
        Feeds(json.dumps(document))


def test_external_id_is_not_shown() -> None:
    feed = Feeds(_with_access()).named("47")
    assert ACCESS["role_arn"] in repr(feed)
    assert ACCESS["external_id"] not in repr(feed)
    with pytest.raises(FeedConfigInvalid) as refused:
        Feeds(_with_access(external_id="not to be seen"))
    assert "not to be seen" not in str(refused.value)


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
