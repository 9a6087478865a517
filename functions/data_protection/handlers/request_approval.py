"""Ask people to approve a plan; the machine waits with a task token until they have decided.

Trigger: the machine remediate_account, by waitForTaskToken. Input: RequestApproval. Output: ApprovalRequested, which
nobody waits for.
Errors: PlanMissing, OwnApproval, ApprovalClosed (never retried); everything else is transient.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.approvals import ApprovalStore
from data_protection.adapters.approvers import Announcements, WaitingMachines
from data_protection.adapters.evidence import EvidenceChain
from data_protection.adapters.plans import PlanReader
from data_protection.remediation.contracts import RequestApproval
from data_protection.remediation.decisions import Asker, Concluder
from data_protection.settings import ApprovalSettings
from kernel import aws
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Ask."""
    asked, settings = RequestApproval.model_validate(event), load(ApprovalSettings)
    function = context.invoked_function_arn
    approvals = ApprovalStore(aws.dynamodb(), settings.remediations_table)
    asker = Asker(
        PlanReader(aws.s3(), settings.lake_bucket),
        approvals,
        Announcements.by(settings.approvers_topic),
        Concluder(
            approvals,
            WaitingMachines(aws.states()),
            lambda plan: EvidenceChain(
                aws.s3(), settings.evidence_bucket, plan=plan, step="", principal=function, controls={}
            ),
        ),
    )
    result = asker.ask(asked, utc_now())
    logger.info("approval requested", run=asked.run, **result.model_dump(mode="json"))
    metrics.add_metric("ApprovalsRequested", "Count", 1)
    return result.model_dump(mode="json")
