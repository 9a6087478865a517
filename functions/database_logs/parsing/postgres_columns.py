"""Columns of PostgreSQL's three logs: one row a record, named alike whatever its format."""

from typing import Final

import polars as pl

from database_logs.parsing.columns import COMMON

# Who and where: from the prefix, or the columns of csvlog and jsonlog.
SESSION: Final = pl.Schema(
    {
        "user_name": pl.String(),
        "database_name": pl.String(),
        "application_name": pl.String(),
        "client_host": pl.String(),
        "client_port": pl.Int32(),
        "server_host": pl.String(),
        "process_id": pl.Int64(),
        "leader_pid": pl.Int64(),
        "session_id": pl.String(),
        "session_line": pl.Int64(),
        "session_start": pl.Datetime("us", "UTC"),
        "virtual_transaction_id": pl.String(),
        "transaction_id": pl.Int64(),
        "command_tag": pl.String(),
        "sqlstate": pl.String(),
        "query_id": pl.Int64(),
        "backend_type": pl.String(),
    }
)
# What happened. `query` is the statement that a record is about: the one it logs, explains, audits or blames. A message
# that quotes it ends before it, so that no text is held twice.
TEXTS: Final = pl.Schema(
    {
        "message": pl.String(),
        "detail": pl.String(),
        "hint": pl.String(),
        "context": pl.String(),
        "query": pl.String(),
        "query_position": pl.Int32(),
        "internal_query": pl.String(),
        "internal_query_position": pl.Int32(),
        "location": pl.String(),
        "backtrace": pl.String(),
    }
)
BODIES: Final = pl.Schema(
    {
        "message_class": pl.String(),
        "duration_ms": pl.Float64(),
        "statement_kind": pl.String(),
        "statement_name": pl.String(),
        "parameters": pl.String(),
        "fingerprint": pl.String(),
        "fingerprint_id": pl.String(),
        "temporary_file_bytes": pl.Int64(),
        "plan": pl.String(),
        "plan_format": pl.String(),
        "plan_node": pl.String(),
        "plan_total_cost": pl.Float64(),
        "plan_actual_ms": pl.Float64(),
        "plan_actual_rows": pl.Float64(),
        "audit_type": pl.String(),
        "audit_statement_id": pl.Int64(),
        "audit_substatement_id": pl.Int64(),
        "audit_class": pl.String(),
        "audit_command": pl.String(),
        "audit_object_type": pl.String(),
        "audit_object_name": pl.String(),
    }
)
SCHEMA: Final = pl.Schema({**COMMON, **SESSION, **TEXTS, **BODIES, "parent_event_id": pl.String()})
