"""The command `gatehouse`."""

import typer

from cli import (
    approvals,
    assessments,
    backfill,
    cloud,
    demo,
    drifts,
    evidence,
    plans,
    query,
    report,
    results,
    run,
    undo,
)

app = typer.Typer(
    help="One serverless application at the gate of an AWS estate, here and on AWS.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# Each module imports what is heavy inside its commands: `gatehouse --help` answers at once.
for module in (
    cloud,
    demo,
    run,
    backfill,
    results,
    assessments,
    plans,
    approvals,
    undo,
    evidence,
    drifts,
    report,
    query,
):
    module.register(app)
