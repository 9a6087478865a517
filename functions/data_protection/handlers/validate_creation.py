"""Judge what a run has made by the checks of assessments, and report it.

Trigger: the machine create_secure_resources, once everything is made or given up. Input: ValidateCreation.
Output: CreationValidated.
Errors: CreationMissing (people must act); everything else is transient; made again, a report replaces the one before.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.creation import CreationEvidence, CreationSnapshots, CreationStore, own_client
from data_protection.creation.contracts import ValidateCreation
from data_protection.creation.creator import Judge
from data_protection.creation.settings import ValidateCreationSettings
from data_protection.resources import Place
from kernel import aws
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Judge the run."""
    asked, settings = ValidateCreation.model_validate(event), load(ValidateCreationSettings)
    _, partition, _, region, account, *_ = context.invoked_function_arn.split(":")
    store = CreationStore(aws.s3(), settings.lake_bucket)
    evidence = CreationEvidence(aws.s3(), settings.evidence_bucket)
    judge = Judge(Place(account, region, partition), CreationSnapshots(own_client), store, evidence)
    validated = judge.judge(asked, utc_now())
    logger.info("creation validated", run=asked.run, resources=validated.created, problems=len(validated.problems))
    metrics.add_metric("ResourcesCreated", "Count", validated.created)
    return validated.model_dump(mode="json")
