"""A profile that cannot be used says which rule, of what, which check and field, and what may be there."""

import pytest

from data_protection.errors import ProfileInvalid
from data_protection.profiles import parse

RULE = """
  - kind: s3-bucket
    select: [{name: audio}, {pattern: logs-*}]
    requires: {S3-BPA: {}}
"""


def profile(rule: str, more: str = "") -> str:
    return f"name: shop\nrules:{RULE}{rule}{more}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            profile("  - {kind: dynamodb-table, select: [{name: orders}], requires: {DDB-PITR: {days: 40}}}"),
            "Rule 2 (dynamodb-table name orders): DDB-PITR: `days`: 40 is not one of 1 to 35.",
        ),
        (
            profile("  - {kind: dynamodb-table, select: [{pattern: shop-*}], requires: {DDB-PITR: {day: 4}}}"),
            "Rule 2 (dynamodb-table pattern shop-*): DDB-PITR: `day` is unknown; did you mean days?",
        ),
        (
            profile("  - {kind: dynamodb-table, select: [{tag: {a: b}}], requires: {DDB-PITTR: {}}}"),
            "Rule 2 (dynamodb-table tag {'a': 'b'}): There is no check DDB-PITTR; did you mean DDB-PITR?",
        ),
        (
            profile("  - {kind: dynamodb-table, selects: [], requires: {}}"),
            "Rule 2 (dynamodb-table): `selects` is unknown; did you mean select?",
        ),
        (
            profile("  - {kind: dynamo-table, select: [{name: orders}], requires: {}}"),
            "Rule 2 (dynamo-table name orders): `kind`: 'dynamo-table' is not one of",
        ),
        (
            profile("  - {kind: dynamodb-table, select: [{name: orders, pattern: xyz}], requires: {}}"),
            "Rule 2 (dynamodb-table name orders, pattern xyz): `select[0]`: give exactly one of name",
        ),
        (
            profile("  - {kind: dynamodb-table, requires: {DDB-PITR: {}}}"),
            "Rule 2 (dynamodb-table): say which dynamodb-table are meant.",
        ),
        (
            profile("  - {kind: dynamodb-table, select: [{name: orders}]}"),
            "Rule 2 (dynamodb-table name orders): `requires` is missing.",
        ),
        (
            profile("  - {kind: dynamodb-table, select: [{name: orders}], requires: DDB-PITR}"),
            "Rule 2 (dynamodb-table name orders): `requires`: 'DDB-PITR' is not an object.",
        ),
        (profile("  - orders"), "Rule 2 (no object): 'orders' is not an object."),
        (
            profile("", "exceptions: [{check: S3-BPA, kind: s3-bucket, name: audio, owner: me, reason: short}]"),
            "Exception 1 (S3-BPA audio): `reason`: 'short' is not 10 or more long.",
        ),
        (
            profile("", "exceptions: [{check: S3-BPA, kind: s3-bucket, name: audio, requires: {}}]"),
            "Exception 1 (S3-BPA audio): `requires` is unknown;",
        ),
        (profile("", "drift: {fix: [DDB-PITRS]}"), "`drift.fix`: there is no check DDB-PITRS; did you mean DDB-PITR?"),
        (
            profile("", "remediation: {limits: {percents: 5}}"),
            "`remediation.limits.percents` is unknown; did you mean percent?",
        ),
        (profile("", "rule: 1"), "`rule` is unknown; did you mean rules?"),
        ("- 1", "As a whole: a list is not an object."),
        (profile("", "name: again"), "The profile is no YAML: name on line 6 stands on line 1 already: leave one."),
    ],
)
def test_a_mistake_in_a_profile_is_told_by_where_it_stands_and_what_may_be_there(text: str, said: str) -> None:
    with pytest.raises(ProfileInvalid) as refused:
        parse(text)

    assert said in str(refused.value)


def test_all_mistakes_are_told_at_once() -> None:
    text = profile("  - {kind: dynamodb-table, select: [{name: orders}], requires: {DDB-PITR: {days: 0}, DDB-KMX: {}}}")

    with pytest.raises(ProfileInvalid, match=r"0 is not one of 1 to 35. There is no check DDB-KMX; did you mean"):
        parse(text)


def test_a_list_is_not_called_short_for_members_that_do_not_hold() -> None:
    rule = "{kind: s3-bucket, select: [{name: audio}], requires: {S3-LIFECYCLE: {tiers: [{prefix: a}]}}}"

    with pytest.raises(ProfileInvalid) as refused:
        parse(f"{{name: shop, rules: [{rule}]}}")

    assert str(refused.value) == (
        "The profile does not hold. Rule 1 (s3-bucket name audio): S3-LIFECYCLE: `tiers[0]`: AWS would refuse this "
        "tier. Rule 'gatehouse-tier-a-ca978112': it has no action."
    )
