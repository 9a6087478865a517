"""Profiles of the lake bucket: whoever is refused reads which one, and where it stands."""

import pytest

from data_protection.adapters.profiles import ProfileStore
from data_protection.errors import ProfileInvalid, ProfileMissing
from kernel import aws
from tests.support.aws import LAKE

KEY = "data_protection/profiles/shop.yaml"


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (b"name: [", rf"^The profile shop \({KEY}\) is no YAML: "),
        (b"name: shop", rf"^The profile shop \({KEY}\) does not hold\. `rules` is missing\.$"),
    ],
)
def test_profile_that_does_not_hold_is_named(document: bytes, sentence: str) -> None:
    aws.s3().put_object(Bucket=LAKE, Key=KEY, Body=document)

    with pytest.raises(ProfileInvalid, match=sentence):
        ProfileStore(aws.s3(), LAKE).load("shop")


def test_shipped_profile_serves_until_there_is_an_own_one() -> None:
    store = ProfileStore(aws.s3(), LAKE)

    assert store.load("rfc-008").standard_checks == 36
    with pytest.raises(ProfileMissing, match=f"put one at s3://{LAKE}/{KEY}"):
        store.load("shop")
