"""Write the documents that are made of the code: `python -m tests.docs`."""

import json
from collections.abc import Mapping
from typing import Any, Final

from data_protection.checks.catalogue import catalogue
from data_protection.checks.check import Check
from data_protection.runbooks import plan_input, run_command, runbook
from data_protection.terms import CLASSES, PHASES, TERMS
from local.paths import ROOT
from tests.support.athena import tables

CHECKS: Final = ROOT / "docs" / "checks"
COLUMNS: Final = ROOT / "docs" / "database_logs_columns.md"

_PLACE: Final = ("123456789012", "eu-central-1")


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
        "Made of the code by `python -m tests.docs`. A profile says which of them are asked of which resources. "
        "[How to add one](../data_protection_checks.md)",
        "\n".join(("| check | requires | kind | severity | phase |", "|---|---|---|---|---|", *lines)),
        "## Terms",
        _defined("term", TERMS),
        "## Phases",
        _defined("phase", PHASES),
        "## Classes",
        "What undoing a change brings back. Only classes A and B are undone by themselves where a change does not take "
        "hold; D and E are planned only where they are `named`.",
        _defined("class", CLASSES),
    )


def _defined(what: str, terms: Mapping[Any, str]) -> str:
    rows = [f"| {term} | {meaning} |" for term, meaning in terms.items()]
    return "\n".join((f"| {what} | meaning |", "|---|---|", *rows))


def _page(check: Check[Any]) -> str:
    return _joined(
        f"# {check.id}: {check.title}",
        check.why,
        "\n".join(
            (
                "| | |",
                "|---|---|",
                f"| requires | {check.title} |",
                f"| kind | {check.kind} |",
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
        "[All checks](README.md) · [Terms](README.md#terms)",
    )


def _fields(check: Check[Any]) -> str:
    schema = check.requirement.model_json_schema()
    if not schema.get("properties"):
        return "It has no settings."
    within = schema.get("$defs", {})
    tables = {name: _settings(one, within) for name, one in within.items() if "properties" in one}
    return "\n\n".join((_settings(schema, within), *(f"Of a `{name}`:\n\n{table}" for name, table in tables.items())))


def _settings(schema: dict[str, Any], within: dict[str, Any]) -> str:
    required = set(schema.get("required", ()))
    lines = [
        f"| `{name}` | {_type(shape, within)} | {'must be given' if name in required else _default(shape)} |"
        for name, shape in schema["properties"].items()
    ]
    return "\n".join(("| setting | type | default |", "|---|---|---|", *lines))


def _default(shape: dict[str, Any]) -> str:
    return f"`{json.dumps(shape['default'])}`" if "default" in shape else "made of the others"


def _type(shape: dict[str, Any], within: dict[str, Any]) -> str:
    if "anyOf" in shape:
        return " or ".join(_type(one, within) for one in shape["anyOf"])
    if "enum" in shape:
        return ", ".join(f"`{value}`" for value in shape["enum"])
    if "items" in shape:
        return f"list of {_type(shape['items'], within)}"
    if "$ref" in shape:
        name = shape["$ref"].rpartition("/")[2]
        return f"`{name}`" if "properties" in within[name] else _type(within[name], within)
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
    account, region = _PLACE
    told = runbook(check)
    again = {"accounts": [account], "regions": [region]}
    return (
        (
            "**See.** The [report](../data_protection.md#results) has each resource with the reason. `unknown` is a "
            "call that was refused or failed: the role that assesses the account needs the actions above."
        ),
        *(
            part
            for heading, text in told.parts.items()
            for part in (f"**{heading}.** {text}", *(_remediation(check) if heading == "Mend" else ()))
        ),
        "[How an exception is written](../data_protection.md#what-is-asked)",
        "**Over when** the check passes:",
        _command("assess_account", again),
    )


def _command(machine: str, asked: dict[str, Any]) -> str:
    return f"    {run_command(machine, asked, 'prod')}"


def _remediation(check: Check[Any]) -> tuple[str, ...]:
    if check.mutator is None:
        return ()
    named = () if check.mutator.reversibility.comes_back else (check.id,)
    planned = {"plan": "0" * 64, "dry_run": False}
    return (
        "This only plans:",
        _command("remediate_account", plan_input(*_PLACE, check.mutator.phase, named)),
        "Read the plan, by the hash that this ends with, and have it carried out; others approve it first, as it says:",
        (
            f"    gatehouse plans {planned['plan']} --env prod\n{_command('remediate_account', planned)}\n"
            f"    gatehouse approve {planned['plan']} --env prod"
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
