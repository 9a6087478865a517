"""Remediation of buckets: those that depend on each other, and all of the standard's, phase by phase."""

import json
from datetime import UTC, datetime
from pathlib import Path

import yaml

import data_protection.profiles_shipped as shipped
from data_protection.checks.catalogue import catalogue
from data_protection.profiles import Profile
from data_protection.remediation.plans import Plan
from data_protection.remediation.steps import State
from data_protection.verdicts import Status
from tests.support.protection import PLACE, REGION, Protected, profile_of, protected


def _work(account: Protected, profile: Profile, plan: Plan) -> list[State]:
    """Work on all steps of a plan, and return how they ended."""
    ended = []
    for number, step in enumerate(plan.steps):
        worker = account.remediator(profile, plan, catalogue()[step.change.check], number=number)
        progress = worker.apply(account.calls)
        ended.append((progress if progress.state.is_final else worker.verify()).state)
    return ended


def _buckets_of_the_standard() -> Profile:
    document = yaml.safe_load((Path(next(iter(shipped.__path__))) / "rfc-008.yaml").read_text())
    rules = [rule for rule in document["rules"] if rule["kind"] == "s3-bucket"]
    return Profile.model_validate({"name": "buckets", "rules": rules})


def test_buckets_of_the_standard_comply_after_its_phases_and_a_second_plan_has_nothing_to_do() -> None:
    uploads = {"DaysAfterInitiation": 7}
    foreign = {
        "ID": "mail",
        "Status": "Enabled",
        "Filter": {"Prefix": "mail/"},
        "AbortIncompleteMultipartUpload": uploads,
    }
    asked_by_name = frozenset({"S3-VERSION", "S3-LIFECYCLE", "S3-LOCK"})
    with protected() as account:
        account.now = datetime.now(UTC)  # the emulator stamps access logs by its own clock
        s3, kms, profile = account.client("s3"), account.client("kms"), _buckets_of_the_standard()
        for bucket in profile.expected(PLACE):
            s3.create_bucket(Bucket=bucket.name, CreateBucketConfiguration={"LocationConstraint": REGION})
        audio = f"audio-{PLACE.account}"
        s3.put_bucket_lifecycle_configuration(Bucket=audio, LifecycleConfiguration={"Rules": [foreign]})
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName="alias/gatehouse-data", TargetKeyId=key)
        assert account.assess(profile).score.percent == 0
        for phase in (1, 2, 4):
            plan = account.plan(profile, phase, named=asked_by_name)
            assert plan.steps
            assert set(_work(account, profile, plan)) <= {State.VERIFIED, State.SATISFIED}
            assert account.plan(profile, phase, named=asked_by_name).steps == ()
        assert account.assess(profile).score.compliant
        rules = s3.get_bucket_lifecycle_configuration(Bucket=audio)["Rules"]
        assert foreign in rules
        assert len(rules) == 3


def test_buckets_that_log_into_one_target_are_all_logged_by_one_plan_that_changes_its_policy_once() -> None:
    with protected() as account:
        s3 = account.client("s3")
        for bucket in ("audio", "texts", "access-logs"):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        policies: list[str] = []
        s3.meta.events.register(
            "provide-client-params.s3.PutBucketPolicy", lambda params, **_: policies.append(params["Policy"])
        )
        profile = profile_of("s3-bucket", ["audio", "texts"], {"S3-LOG": {"target": "access-logs"}})
        plan = account.plan(profile, 1)
        assert [(step.name, step.change.call.operation) for step in plan.steps] == [
            ("audio", "put_bucket_policy"),
            ("audio", "put_bucket_logging"),
            ("texts", "put_bucket_policy"),
            ("texts", "put_bucket_logging"),
        ]
        states = _work(account, profile, plan)
        assert states == [State.VERIFIED, State.VERIFIED, State.SATISFIED, State.VERIFIED]
        assert len(policies) == 1
        (grant,) = json.loads(policies[0])["Statement"]
        assert grant["Condition"] == {"StringEquals": {"aws:SourceAccount": PLACE.account}}
        assert Status.FAIL not in {finding.status for finding in account.assess(profile).findings}
