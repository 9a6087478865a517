"""Take in what a person decides about a plan. Who that is says IAM, never the request's body.

Trigger: the function's URL, which lets pass only what IAM has authorised. Input: DecideApproval. Output: an HTTP answer
whose body is ApprovalDecided, or says in a sentence why the decision does not count.
Errors: everything else is transient, and may be said again.
"""

import json
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.approvals import ApprovalStore
from data_protection.adapters.approvers import WaitingMachines
from data_protection.adapters.evidence import EvidenceChain
from data_protection.adapters.plans import PlanReader
from data_protection.errors import ApprovalClosed, OwnApproval, PlanMissing
from data_protection.remediation.contracts import DecideApproval
from data_protection.remediation.decisions import Concluder, Decider
from data_protection.settings import FinishSettings
from kernel import aws
from kernel.clock import utc_now
from kernel.errors import EffectConflict, ValidationError
from kernel.observability import logger, metrics, tracer
from kernel.settings import load

# What a person can do something about is told to that person, and is no error of the function.
_REFUSALS: Final[dict[type[Exception], int]] = {
    ValidationError: 400,
    OwnApproval: 403,
    PlanMissing: 404,
    ApprovalClosed: 409,
    EffectConflict: 409,
}


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take the decision in."""
    try:
        asked = DecideApproval.model_validate(event)
        decided = _decider(load(FinishSettings), asked.approver).decide(asked, utc_now())
    except tuple(_REFUSALS) as refusal:
        logger.warning("decision refused", reason=type(refusal).__name__)
        return _answer(_REFUSALS[type(refusal)], {"refused": type(refusal).__name__, "why": str(refusal)})
    logger.info("decision taken in", **decided.model_dump(mode="json"))
    metrics.add_metric("ApprovalsDecided", "Count", int(decided.outcome != "open"))
    return _answer(200, decided.model_dump(mode="json"))


def _decider(settings: FinishSettings, approver: str) -> Decider:
    approvals = ApprovalStore(aws.dynamodb(), settings.remediations_table)
    concluder = Concluder(
        approvals,
        WaitingMachines(aws.states()),
        lambda plan: EvidenceChain(
            aws.s3(), settings.evidence_bucket, plan=plan, step="", principal=approver, controls={}
        ),
    )
    return Decider(PlanReader(aws.s3(), settings.lake_bucket), approvals, concluder)


def _answer(status: int, body: dict[str, Any]) -> dict[str, Any]:
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}
