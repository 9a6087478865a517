import json

import pytest

from firewall_logs.adapters.access import SourceClients
from firewall_logs.adapters.backfills import Backfills
from firewall_logs.adapters.machine import RunWatch
from firewall_logs.adapters.replays import ReplayClaims, ReplayObjects
from firewall_logs.adapters.source import SourceListing
from firewall_logs.backfills.contracts import BackfillInput, Planning
from firewall_logs.feeds import Feeds
from firewall_logs.replays.contracts import ReplayClaim
from kernel import aws
from kernel.errors import EffectConflict
from tests.support.aws import LAKE, RAW, RUNS
from tests.support.firewall import FEEDS, OBJECT_ID, a_source


def test_listing_goes_on_after_a_key() -> None:
    feeds = Feeds(FEEDS)
    for name in "abc":
        aws.s3().put_object(Bucket=RAW, Key=f"cloudflare/2.ford/{name}", Body=b"x")
    listing = SourceListing(SourceClients(feeds, aws.s3(), "test"))
    feed = feeds.named("2.ford")
    assert [found.key[-1] for found in listing.versions(feed, feed.prefix)] == ["a", "b", "c"]
    assert [found.key[-1] for found in listing.versions(feed, feed.prefix, "cloudflare/2.ford/a")] == ["b", "c"]


def test_status_of_a_run_is_that_of_its_execution_and_none_where_there_is_none() -> None:
    definition = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}})
    machine = aws.states().create_state_machine(
        name="process_objects", definition=definition, roleArn="arn:aws:iam::123456789012:role/machine"
    )
    watch = RunWatch(aws.states(), machine["stateMachineArn"])
    assert watch.status("b-00000-1") is None
    aws.states().start_execution(stateMachineArn=machine["stateMachineArn"], name="b-00000-1", input="{}")
    assert watch.status("b-00000-1") in {"RUNNING", "SUCCEEDED"}


def test_documents_of_a_backfill_are_read_as_they_were_written() -> None:
    backfills = Backfills(aws.s3(), RUNS)
    request = BackfillInput.model_validate({"feed": "47", "from": "2026-06-01"})
    backfills.keep_request("b", request)
    backfills.keep_request("b", request)
    assert backfills.request("b") == request
    assert backfills.planning("b") == Planning()
    backfills.keep_wave("b", 3, [a_source(), a_source(key="other", version_id="v")])
    assert [source.key for source in backfills.wave("b", 3)] == ["cloudflare/47/a", "other"]
    with pytest.raises(EffectConflict):
        backfills.keep_request("b", BackfillInput(feed="3"))


def test_first_claim_on_quarantined_rows_stands() -> None:
    claims = ReplayClaims(aws.s3(), LAKE)
    first = ReplayClaim(object_id=OBJECT_ID, reason="time_naive", rows=4, key="first")
    assert claims.read(OBJECT_ID, "time_naive") is None
    assert claims.claim(first) == first
    assert claims.claim(first.model_copy(update={"key": "second"})) == first
    assert claims.read(OBJECT_ID, "time_naive") == first


def test_object_of_a_replay_is_found_once_it_is_written() -> None:
    objects = ReplayObjects(aws.s3(), RUNS)
    assert objects.find("firewall_logs/replays/x.ndjson.gz") is None
    aws.s3().put_object(Bucket=RUNS, Key="firewall_logs/replays/x.ndjson.gz", Body=b"12345")
    found = objects.find("firewall_logs/replays/x.ndjson.gz")
    assert found is not None
    assert (found.size, found.bucket) == (5, RUNS)
