"""Close a run of a plan: what became of each step, with the heads of all chains of evidence.

Trigger: the machine remediate_account, once nothing more is done. Input: FinishRemediation. Output:
RemediationFinished.
Errors: PlanMissing, EvidenceBroken (never retried); everything else is transient.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.evidence import EvidenceChain
from data_protection.adapters.plans import PlanReader
from data_protection.adapters.steps import StepLedger
from data_protection.remediation.contracts import FinishRemediation
from data_protection.remediation.finisher import Finisher
from data_protection.settings import FinishSettings
from kernel import aws
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Close the run."""
    asked, settings = FinishRemediation.model_validate(event), load(FinishSettings)

    def evidence(plan: str, step: str) -> EvidenceChain:
        principal = context.invoked_function_arn
        return EvidenceChain(aws.s3(), settings.evidence_bucket, plan=plan, step=step, principal=principal, controls={})

    plans = PlanReader(aws.s3(), settings.lake_bucket)
    ledger = StepLedger(aws.dynamodb(), settings.remediations_table)
    finished = Finisher(plans, ledger, evidence).finish(asked, utc_now())
    logger.info("remediation finished", run=asked.run, **finished.model_dump(mode="json"))
    left = sum(count for state, count in finished.counts.items() if state.needs_people)
    metrics.add_metric("StepsUnverified", "Count", left)
    return finished.model_dump(mode="json")
