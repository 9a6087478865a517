"""Record why a run failed, give back what it holds, and tell others.

Trigger: state RecordFailure of process_objects, and the rule on executions that ended FAILED, TIMED_OUT or ABORTED,
which sees what no Catch sees. Input: FailureInput. Output: FailureRecord. Harmless when called twice.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from firewall_logs.adapters.ledger import LedgerReleases
from firewall_logs.adapters.runs import Evidence, PlanReader
from firewall_logs.contracts import FailureInput
from firewall_logs.failure import release_all
from firewall_logs.settings import FailureSettings
from kernel import aws
from kernel.bus import Bus
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Write the evidence; the first account of a run's failure stands."""
    failure = FailureInput.model_validate(event)
    settings = load(FailureSettings)
    evidence = Evidence(aws.s3(), settings.runs_bucket)
    known = evidence.read_failure(failure.run_id)
    if known is not None:
        return known.model_dump(mode="json")
    plans = PlanReader(aws.s3(), settings.runs_bucket)
    releases = LedgerReleases(aws.dynamodb(), settings.ledger_table)
    intent, plan = plans.intent(failure.run_id), plans.read(failure.run_id)
    record = release_all(failure, intent, plan, releases, utc_now())
    Bus(aws.events(), settings.event_bus, "firewall_logs").publish("RunFailed", record)
    metrics.add_metric("RunsFailed", "Count", 1)
    metrics.add_metric("ObjectsFailed", "Count", record.objects_failed)
    # Last: who finds it knows that all the rest is done.
    evidence.write_failure(record)
    logger.error("run failed", run_id=failure.run_id, state=failure.state, error_name=failure.error)
    return record.model_dump(mode="json")
