"""Write the documents that are made of the code: `python -m tests.docs`."""

import json
from typing import Any, Final

from data_protection.changes import Reversibility
from data_protection.checks.catalogue import catalogue
from data_protection.checks.check import Check
from local.paths import ROOT
from tests.support.athena import tables

CHECKS: Final = ROOT / "docs" / "checks"
COLUMNS: Final = ROOT / "docs" / "database_logs_columns.md"

_REVERSIBILITY: Final = {
    Reversibility.REVERSIBLE: "the inverse call restores the earlier state",
    Reversibility.QUOTA: "the inverse call restores the earlier state, but AWS limits how often",
    Reversibility.SIDE_EFFECTS: "the configuration comes back, what it did meanwhile stays",
    Reversibility.LOSES_DATA: "data or history is lost",
    Reversibility.ONE_WAY: "it cannot be undone",
}


def check_pages() -> dict[str, str]:
    """Return the pages about checks, by the name of the file in docs/checks."""
    return {"README.md": _index()} | {f"{check.id}.md": _page(check) for check in catalogue().values()}


def columns_page() -> str:
    """Return the page about the columns of database logs."""
    found = tables("database_logs")
    described = {
        name: {column["Name"]: (column["Type"], column["Comment"]) for column in _columns(table)}
        for name, table in found.items()
    }
    first, *others = described.values()
    common = [column for column, said in first.items() if all(other.get(column) == said for other in others)]
    return _joined(
        "# Columns of database logs",
        "Made of `stacks/database_logs_analytics.yaml` by `python -m tests.docs`. Athena and `gatehouse query` have "
        "these tables; files of the lake have the same columns. Types are Athena's. "
        "[How to ask](database_logs.md#the-lake)",
        "Times are UTC. Instance names are unique only within an account and Region: filter by `dbi_resource_id` "
        "where they may repeat. Records name neither account nor Region; the table `instance-metadata` does.",
        "## In every table",
        _described({column: first[column] for column in common}),
        *(
            part
            for name, own in described.items()
            for part in (
                f"## {name}",
                found[name]["Description"],
                _described({column: said for column, said in own.items() if column not in common}),
            )
        ),
    )


def _columns(table: dict[str, Any]) -> list[dict[str, str]]:
    return [*table["PartitionKeys"], *table["StorageDescriptor"]["Columns"]]


def _described(columns: dict[str, tuple[str, str]]) -> str:
    rows = [f"| `{column}` | {kind} | {meaning} |" for column, (kind, meaning) in columns.items()]
    return "\n".join(("| column | type | meaning |", "|---|---|---|", *rows))


def _index() -> str:
    lines = [
        f"| [{check.id}]({check.id}.md) | {check.title} | {check.kind} | {check.severity} | {_phase(check)} |"
        for check in catalogue().values()
    ]
    return _joined(
        "# Checks of data_protection",
        "Made of the code by `python -m tests.docs`. A profile says which of them are asked of which resources.",
        "\n".join(("| check | what holds where it passes | of | severity | phase |", "|---|---|---|---|---|", *lines)),
    )


def _page(check: Check[Any]) -> str:
    return _joined(
        f"# {check.id}: {check.title}",
        check.why,
        "\n".join(
            (
                "| | |",
                "|---|---|",
                f"| of | {check.kind} |",
                f"| severity | {check.severity} |",
                *(f"| {framework} | {', '.join(ids)} |" for framework, ids in sorted(check.controls.items())),
                f"| cost | {check.cost} |",
            )
        ),
        "## What a profile may ask",
        _fields(check),
        "## What it reads",
        _reads(check),
        "## Runbook",
        *_runbook(check),
        "[All checks](README.md)",
    )


def _fields(check: Check[Any]) -> str:
    properties = check.requirement.model_json_schema().get("properties", {})
    if not properties:
        return "It has no settings."
    required = set(check.requirement.model_json_schema().get("required", ()))
    lines = [
        f"| `{name}` | {_type(shape)} | {'must be given' if name in required else _default(shape)} |"
        for name, shape in properties.items()
    ]
    return "\n".join(("| setting | type | default |", "|---|---|---|", *lines))


def _default(shape: dict[str, Any]) -> str:
    return f"`{json.dumps(shape['default'])}`" if "default" in shape else "made of the others"


def _type(shape: dict[str, Any]) -> str:
    if "anyOf" in shape:
        return " or ".join(_type(one) for one in shape["anyOf"])
    if "enum" in shape:
        return ", ".join(f"`{value}`" for value in shape["enum"])
    if "items" in shape:
        return f"list of {_type(shape['items'])}"
    if "$ref" in shape:
        return f"`{shape['$ref'].rpartition('/')[2]}`"
    bounds = [f"{word} {shape[key]}" for key, word in (("minimum", "from"), ("maximum", "to")) if key in shape]
    return " ".join([shape.get("type", "any"), *bounds])


def _reads(check: Check[Any]) -> str:
    reads = {read.name: read for read in (*check.reads, *check.further)}
    if not reads:
        return "Nothing of its own: it judges by what is listed anyway."
    lines = [
        f"| {name} | {read.kind} | {', '.join(f'`{one}`' for one in sorted(read.actions))} |"
        for name, read in reads.items()
    ]
    return "\n".join(("| call | about | IAM actions |", "|---|---|---|", *lines))


def _runbook(check: Check[Any]) -> tuple[str, ...]:
    place = {"account": "123456789012", "region": "eu-central-1"}
    again = {"accounts": [place["account"]], "regions": [place["region"]]}
    return (
        (
            "**See.** The [report](../data_protection.md#results) has each resource with the reason. `unknown` is a "
            "call that was refused or failed: the role that assesses the account needs the actions above."
        ),
        *_fix(check, place),
        f"**By hand.** {check.advice}",
        (
            "**Or let it be.** An [exception](../data_protection.md#what-is-asked) in the profile says who answers for "
            "it, why, and until when."
        ),
        "**Over when** the check passes:",
        _command("assess_account", again),
    )


def _command(machine: str, asked: dict[str, Any]) -> str:
    return f"    gatehouse run {machine} --env prod --input '{json.dumps(asked)}'"


def _fix(check: Check[Any], place: dict[str, str]) -> tuple[str, ...]:
    if check.mutator is None:
        return ("**Mend.** There is no automatic change.",)
    asks = {"requested_by": "arn:aws:iam::123456789012:user/alice"}
    named = {} if check.mutator.reversibility.comes_back else {"named": [check.id]}
    planned = {"plan": "0" * 64, **asks, "dry_run": False}
    calls = ", ".join(f"`{one}`" for one in sorted(check.mutator.operations))
    actions = ", ".join(f"`{one}`" for one in sorted(check.mutator.actions))
    told = _REVERSIBILITY[check.mutator.reversibility]
    return (
        f"**Mend.** Phase {check.mutator.phase} of `remediate_account` does it. This only plans:",
        _command("remediate_account", {**place, "phases": [check.mutator.phase], **named, **asks}),
        "Read the plan, by the hash that this ends with, and have it carried out; others approve it first, as it says:",
        (
            f"    gatehouse plans {planned['plan']} --env prod\n{_command('remediate_account', planned)}\n"
            f"    gatehouse approve {planned['plan']} --env prod"
        ),
        f"It may call {calls}, for which it needs {actions}.",
        (
            f"**Undo.** Its usual change is of class {check.mutator.reversibility}: {told}. A single change may be "
            "graver; its plan says so, and has the inverse of each call that has one."
        ),
    )


def _phase(check: Check[Any]) -> str:
    return str(check.mutator.phase) if check.mutator else "by hand"


def _joined(*parts: str) -> str:
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Write all pages, and remove those of checks that are no more."""
    pages = check_pages()
    CHECKS.mkdir(exist_ok=True)
    for path in CHECKS.glob("*.md"):
        if path.name not in pages:
            path.unlink()
    for name, page in pages.items():
        (CHECKS / name).write_text(page)
    COLUMNS.write_text(columns_page())


if __name__ == "__main__":
    main()
