"""What PostgreSQL's messages hold: durations, statements, parameters, plans, audited commands, classes."""

import html
import json
from typing import Final

import polars as pl

from database_logs.fingerprints import fingerprint, fingerprint_ids
from database_logs.parsing.frames import capped, sliced
from database_logs.parsing.postgres_classes import classes
from database_logs.parsing.postgres_columns import BODIES

# Source of the shapes: PostgreSQL's postgres.c (check_log_duration, exec_*_message) and contrib/auto_explain.
_KINDS: Final = ("statement", "parse", "bind", "execute", "plan")
_DURATION: Final = (
    r"^(?P<told>duration: (?P<duration_ms>[0-9]+\.[0-9]+) ms(?:  (?P<kind>[a-z]+)(?: (?P<name>[^:\n]+))?: ?)?)"
)
_STATEMENT: Final = r"^(?P<told>(?P<kind>statement|execute)(?: (?P<name>[^:\n]+))?: )"
_PARAMETERS: Final = ("parameters: ", "Parameters: ")
_TEMPORARY: Final = r'^temporary file: path "[^"]*", size ([0-9]+)'
# pgAudit README, "Format": CSV, a field that needs it in quotes.
_FIELD: Final = r'"(?:[^"]|"")*"|[^,"]*'
_AUDIT: Final = (
    r"^(?P<told>AUDIT: (?P<audit_type>SESSION|OBJECT)),(?P<audit_statement_id>[0-9]+),"
    r"(?P<audit_substatement_id>[0-9]+),(?P<audit_class>[A-Z_]*),"
    rf"(?P<audit_command>{_FIELD}),(?P<audit_object_type>{_FIELD}),(?P<audit_object_name>{_FIELD}),(?P<query>{_FIELD}),"
    rf"(?P<parameters>{_FIELD})"
)
_AUDIT_NAMES: Final = ("audit_type", "audit_class", "audit_command", "audit_object_type", "audit_object_name")
_UNSAID: Final = ("<none>", "<not logged>", "<previously logged>", "")

# By format: its first characters after "plan:", then what holds the statement, its parameters, the top node, its total
# cost, its actual milliseconds and rows. The top node's fields come before those of its children, and what a statement
# quotes of a plan is escaped in JSON, XML and YAML.
_NUMBER: Final = r"([0-9.]+)"
_TOP_NODE: Final = r"(?m)^ *(\S.*?)  \(cost="
_COST: Final = rf"  \(cost=[0-9.]+\.\.{_NUMBER} rows="
_ACTUAL: Final = rf"\(actual time=[0-9.]+\.\.{_NUMBER} rows="
_ROWS: Final = rf"\(actual (?:time=[0-9.]+ )?rows={_NUMBER} "
_PLANS: Final = {
    "json": (
        (r'"Query Text": ("(?:[^"\\]|\\.)*")', r'"Query Parameters": ("(?:[^"\\]|\\.)*")', r'"Node Type": "([^"]+)"'),
        (rf'"Total Cost": {_NUMBER}', rf'"Actual Total Time": {_NUMBER}', rf'"Actual Rows": {_NUMBER}'),
    ),
    "xml": (
        (
            r"(?s)<Query-Text>(.*?)</Query-Text>",
            r"(?s)<Query-Parameters>(.*?)</Query-Parameters>",
            r"<Node-Type>([^<]+)<",
        ),
        (
            rf"<Total-Cost>{_NUMBER}<",
            rf"<Actual-Total-Time>{_NUMBER}<",
            rf"<Actual-Rows>{_NUMBER}<",
        ),
    ),
    "yaml": (
        (r'Query Text: ("(?:[^"\\]|\\.)*")', r'Query Parameters: ("(?:[^"\\]|\\.)*")', r'Node Type: "([^"]+)"'),
        (rf"Total Cost: {_NUMBER}", rf"Actual Total Time: {_NUMBER}", rf"Actual Rows: {_NUMBER}"),
    ),
    "text": (
        (
            r"(?s)^ *Query Text: (.*?)(?:\n *Query Parameters: [^\n]*)?\n[^\n]*  \(cost=",
            r"(?m)^ *Query Parameters: (.*)$",
            _TOP_NODE,
        ),
        (_COST, _ACTUAL, _ROWS),
    ),
}
_STATED: Final = ("query", "parameters", "plan_node")
_MEASURED: Final = ("plan_total_cost", "plan_actual_ms", "plan_actual_rows")


def bodies(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with the columns of `BODIES`, and with `message`, `detail` and `query` as their parts.

    Args:
        frame: severity, message, detail and query (String); of a message that quotes a statement, query is null or the
            same statement. Its texts are capped.
    """
    message, detail = pl.col("message"), pl.col("detail")
    frame = capped(frame)
    frame = frame.with_columns(classes(frame["message"]).alias("message_class"))
    logged = message.str.extract_groups(_DURATION)
    frame = frame.with_columns(logged.alias("logged"))
    bare = pl.col("message_class") == "statement_log"
    if frame["message_class"].eq("statement_log").any():
        stated = message.str.extract_groups(_STATEMENT).struct
        named = pl.struct(
            stated.field("told"),
            pl.lit(None, pl.String).alias("duration_ms"),
            stated.field("kind"),
            stated.field("name"),
        )
        frame = frame.with_columns(pl.when(bare).then(named).otherwise("logged").alias("logged"))
    told = pl.col("logged").struct
    kind = told.field("kind")
    quoting = kind.is_in(_KINDS)
    bound = detail.str.starts_with(_PARAMETERS[0]) | detail.str.starts_with(_PARAMETERS[1])
    rest = sliced(message, told.field("told").str.len_bytes())
    frame = frame.with_columns(
        told.field("duration_ms").cast(pl.Float64, strict=False).alias("duration_ms"),
        pl.when(quoting).then(kind).alias("statement_kind"),
        pl.when(quoting).then(told.field("name").str.strip_prefix("fetch from ")).alias("statement_name"),
        pl.when(quoting).then(told.field("told").str.strip_chars_end(" ")).otherwise(message).alias("message"),
        pl.when(quoting).then(rest).otherwise("query").alias("query"),
        sliced(pl.when(bound).then(detail), len(_PARAMETERS[0])).alias("parameters"),
    ).drop("logged")
    if frame["message_class"].eq("server_temp_file_created").any():
        size = message.str.extract(_TEMPORARY).cast(pl.Int64, strict=False)
        frame = frame.with_columns(size.alias("temporary_file_bytes"))
    frame = frame.with_columns(pl.when(pl.col("parameters").is_null()).then("detail").alias("detail"))
    frame = _audited(_planned(frame))
    found = fingerprint(frame["query"], "postgres")
    frame = frame.with_columns(found.alias("fingerprint"), fingerprint_ids(found).alias("fingerprint_id"))
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in BODIES.items() if name not in frame.columns]
    return frame.with_columns(missing)


def _planned(frame: pl.DataFrame) -> pl.DataFrame:
    """Read the plans of auto_explain, where there are some: so far they stand where statements do."""
    chosen = frame["statement_kind"].eq("plan").fill_null(value=False)
    if not chosen.any():
        return frame
    plan = pl.col("plan")
    plans = frame.with_row_index("row").filter(chosen)
    plans = plans.select("row", pl.col("query").str.strip_chars_start(" \n\t").alias("plan")).with_columns(
        pl.when(plan.str.starts_with("{"))
        .then(pl.lit("json"))
        .when(plan.str.starts_with("<"))
        .then(pl.lit("xml"))
        .when(plan.str.contains(r"(?m)^Plan: *$"))
        .then(pl.lit("yaml"))
        .otherwise(pl.lit("text"))
        .alias("plan_format")
    )
    parts = []
    for name, part in plans.partition_by("plan_format", as_dict=True).items():
        stated, measured = _PLANS[str(name[0])]
        parts.append(
            part.with_columns(
                *(plan.str.extract(pattern).alias(column) for column, pattern in zip(_STATED, stated, strict=True)),
                *(
                    plan.str.extract(pattern).cast(pl.Float64, strict=False).alias(column)
                    for column, pattern in zip(_MEASURED, measured, strict=True)
                ),
            ).with_columns(_unescaped(pl.col("query", "parameters"), str(name[0])))
        )
    unexplained = frame.with_columns(pl.when(~chosen).then("query").alias("query"))
    return _replaced(unexplained, pl.concat(parts))


def _unescaped(texts: pl.Expr, plan_format: str) -> pl.Expr:
    """Return statements as they were: auto_explain escapes them as the format of its plans asks for."""
    if plan_format == "xml":
        return texts.map_elements(html.unescape, pl.String)
    if plan_format in {"json", "yaml"}:
        return texts.map_elements(_of_json, pl.String)
    return texts


def _of_json(text: str) -> str:
    try:
        return str(json.loads(text, strict=False))
    except ValueError:  # an escape that JSON does not know: the text of a cut record
        return text.strip('"')


def _audited(frame: pl.DataFrame) -> pl.DataFrame:
    """Read pgAudit's fields, where there are some."""
    chosen = frame["message_class"] == "statement_audit"
    if not chosen.any():
        return frame
    audited = (
        frame.with_row_index("row")
        .filter(chosen)
        .select("row", pl.col("message").str.extract_groups(_AUDIT).alias("audit"))
        .unnest("audit")
        .rename({"told": "message"})
        .drop_nulls("message")
        .with_columns(
            pl.col("audit_statement_id", "audit_substatement_id").cast(pl.Int64, strict=False),
            pl.col(*_AUDIT_NAMES, "query", "parameters")
            .str.replace('(?s)^"(.*)"$', "$1")
            .str.replace_all('""', '"', literal=True),
        )
        .with_columns(
            pl.col(name).replace(_UNSAID, [None] * len(_UNSAID)) for name in (*_AUDIT_NAMES, "query", "parameters")
        )
        .with_columns(pl.lit("audit").alias("statement_kind"))
    )
    return _replaced(frame, audited)


def _replaced(frame: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with what was found for some of its rows, by `row`, in place of what they had."""
    joined = frame.with_row_index("row").join(found, on="row", how="left", maintain_order="left", suffix="_found")
    both = [name for name in found.columns if name != "row" and name in frame.columns]
    return joined.with_columns(pl.coalesce(f"{name}_found", name).alias(name) for name in both).drop(
        "row", *(f"{name}_found" for name in both)
    )
