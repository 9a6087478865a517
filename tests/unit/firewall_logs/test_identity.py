from firewall_logs import identity
from firewall_logs.contracts import ObjectRef
from tests.support.firewall import a_feed, a_source


def test_same_version_has_the_same_identity() -> None:
    assert identity.object_id(a_source(version_id="v1"), a_feed()) == identity.object_id(
        a_source(version_id="v1", etag="e2"), a_feed()
    )


def test_new_version_is_a_new_object() -> None:
    assert identity.object_id(a_source(version_id="v1"), a_feed()) != identity.object_id(
        a_source(version_id="v2"), a_feed()
    )


def test_without_versions_new_content_is_a_new_object() -> None:
    assert identity.object_id(a_source(etag="e1"), a_feed()) != identity.object_id(a_source(etag="e2"), a_feed())


def test_parts_do_not_run_into_each_other() -> None:
    one, two = a_source(bucket="raw", key="x", etag="yz"), a_source(bucket="raw", key="xy", etag="z")
    assert identity.source_id(one) != identity.source_id(two)


def test_feed_that_changes_the_bytes_changes_the_identity() -> None:
    known = identity.object_id(a_source(), a_feed())
    changed = [a_feed(zone="other"), a_feed(name="48"), a_feed(format="ndjson.gz"), a_feed(naive_times="utc")]
    assert known not in {identity.object_id(a_source(), feed) for feed in changed}
    assert known == identity.object_id(a_source(), a_feed(prefix="elsewhere/"))


def test_execution_name_is_one_for_a_batch_in_any_order() -> None:
    one, two = ObjectRef(bucket="raw", key="a", version_id="1"), ObjectRef(bucket="raw", key="b")
    assert identity.execution_name([one, two]) == identity.execution_name([two, one, two])
    assert identity.execution_name([one]) != identity.execution_name([one, two])


def test_execution_name_is_one_that_step_functions_takes() -> None:
    name = identity.execution_name([ObjectRef(bucket="raw", key="ü /+=%?*")])
    assert len(name) <= 80
    assert name.replace("-", "").isalnum()
