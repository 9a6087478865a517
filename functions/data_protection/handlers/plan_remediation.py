"""Plan the remediation of one account in one region, once in a run, or the undoing of one; or take up a plan.

Trigger: the machine remediate_account. Input: PlanRemediation. Output: RemediationPlanned.
Errors: EstateInvalid, ProfileInvalid, ProfileMissing, PlanTooLarge, PlanMissing, PlanExpired, PlanUndone, UndoRefused,
EvidenceBroken, AccessRefused (never retried); everything else is transient.
"""

from datetime import datetime
from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.estate import Clients, EstateStore
from data_protection.adapters.evidence import EvidenceChain, chains_of
from data_protection.adapters.plans import PlanReader, PlanRegister
from data_protection.adapters.profiles import ProfileStore
from data_protection.adapters.snapshots import Snapshots
from data_protection.locations import plan_key
from data_protection.remediation.contracts import PlanRemediation, planned
from data_protection.remediation.planner import Planner, Site, new_plan, new_undoing
from data_protection.remediation.plans import Plan
from data_protection.remediation.waves import waves
from data_protection.settings import RemediationSettings
from kernel import aws
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Plan."""
    asked, settings, now = PlanRemediation.model_validate(event), load(RemediationSettings), utc_now()
    plan, approvers = _planner(asked, settings, context.invoked_function_arn).plan(asked, now)
    result = planned(plan, waves(plan), approvers=approvers, dry_run=asked.dry_run, now=now, key=plan_key(plan.hash))
    logger.info("remediation planned", run=asked.run, omitted=plan.omitted, **plan.summary)
    metrics.add_metric("ChangesPlanned", "Count", result.changes)
    return result.model_dump(mode="json")


def _planner(asked: PlanRemediation, settings: RemediationSettings, function_arn: str) -> Planner:
    s3, lake, evidence = aws.s3(), settings.lake_bucket, settings.evidence_bucket
    plans = PlanReader(s3, lake)

    def make(now: datetime) -> Plan:
        if not asked.undo:
            return new_plan(asked, now, _site(settings, function_arn, asked.account, asked.region))
        first = plans.load(asked.undo)
        site = _site(settings, function_arn, first.account, first.region)
        return new_undoing(asked, now, site, first=first, chains=chains_of(s3, evidence, first.hash))

    return Planner(
        plans,
        PlanRegister(s3, lake, aws.dynamodb(), settings.remediations_table),
        lambda plan: EvidenceChain(s3, evidence, plan=plan, step="", principal=asked.requested_by, controls={}),
        partial(chains_of, s3, evidence),
        policy=lambda plan: ProfileStore(s3, lake).load(plan.profile).remediation,
        make=make,
    )


def _site(settings: RemediationSettings, function_arn: str, number: str, region: str) -> Site:
    _, partition, _, own_region, own, *_ = function_arn.split(":")
    estate = EstateStore(aws.s3(), settings.lake_bucket).load(own, own_region)
    (place,) = estate.places(frozenset({number}), frozenset({region}), partition)
    account = estate.account(number)
    return Site(
        place,
        account,
        own,
        ProfileStore(aws.s3(), settings.lake_bucket).load(account.profile),
        Snapshots(Clients.reading(account).of),
    )
