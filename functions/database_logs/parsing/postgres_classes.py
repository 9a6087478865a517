"""What a PostgreSQL message is about, by its text: the server's messages (its source and .po files) as patterns.

The names of the classes are those that pganalyze published, in lower case. Patterns match from the start of a message's
skeleton: its first line without what stands in double quotes, numbers as 0, and cut at 200 characters.
"""

import re
from typing import Final

import polars as pl

from database_logs.distinct import distinct_texts

_LENGTH: Final = 200
_PLAN: Final = "^duration: [0-9.]+ ms  plan:"
_LOCK: Final = "process 0 {} [A-Za-z]+Lock on "
_CLASSES: Final = {
    "statement_log": "statement: |execute [^:]*: |fastpath function call: ",
    "statement_audit": "AUDIT: (SESSION|OBJECT),",
    "connection_received": "connection received: host=",
    "connection_authenticated": "connection authenticated: ",
    "connection_authorized": "(replication )?connection authorized: ",
    "connection_disconnected": "disconnection: session time: ",
    "connection_client_failed_to_connect": "incomplete startup packet",
    "connection_lost_open_tx": "unexpected EOF on client connection with an open transaction",
    "connection_lost": "could not (receive data from|send data to) client: |unexpected EOF on client connection|"
    "connection to client lost|terminating connection because protocol synchronization was lost",
    "connection_terminated": "terminating connection due to administrator command",
    "connection_rejected": "pg_hba.conf rejects |no pg_hba.conf entry for |"
    "[A-Za-z0-9-]+ authentication failed for user |"
    'password authentication failed|database "" is not currently accepting connections|'
    'role "" is not permitted to log in|could not connect to Ident server|'
    "provided user name \\(.*\\) and authenticated user name",
    "out_of_connections": "remaining connection slots are reserved|sorry, too many clients already",
    "too_many_connections_role": "too many connections for role ",
    "too_many_connections_database": "too many connections for database ",
    "could_not_accept_ssl_connection": "could not accept SSL connection",
    "protocol_error_unsupported_version": "unsupported frontend protocol ",
    "protocol_error_incomplete_message": "incomplete message from client",
    "checkpoint_starting": "checkpoint starting: ",
    "checkpoint_complete": "checkpoint complete: ",
    "checkpoint_too_frequent": "checkpoints are occurring too frequently",
    "restartpoint_starting": "restartpoint starting: ",
    "restartpoint_complete": "restartpoint complete: ",
    "restartpoint_at": "recovery restart point at ",
    "wal_invalid_record_length": "invalid record length at ",
    "wal_redo": "redo (starts|is not required|done at)|last completed transaction was at log time ",
    "wal_archive_command_failed": "archive command (failed|was terminated)|archiver process \\(PID 0\\) exited",
    "wal_base_backup_complete": "pg_stop_backup complete|"
    "(all required )?WAL segments have been archived|backup complete",
    "autovacuum_cancel": "canceling autovacuum task",
    "txid_wraparound_warning": 'database (""|with OID 0) must be vacuumed within 0 (transactions|MultiXact)',
    "txid_wraparound_error": "database is not accepting commands (to avoid|that assign)",
    "autovacuum_launcher_started": "autovacuum launcher started",
    "autovacuum_launcher_shutting_down": "autovacuum launcher shutting down|"
    "terminating autovacuum process due to administrator command",
    "autovacuum_completed": "automatic (aggressive )?vacuum (to prevent wraparound )?of table ",
    "autoanalyze_completed": "automatic analyze of table ",
    "skipping_vacuum_lock_not_available": 'skipping vacuum of "" --- lock not available',
    "skipping_analyze_lock_not_available": 'skipping analyze of "" --- lock not available',
    "skipping_maintenance_permission_denied": "permission denied to (analyze|vacuum|cluster|reindex|execute [A-Z]+ on) "
    '"", skipping it',
    "lock_acquired": _LOCK.format("acquired"),
    "lock_waiting": _LOCK.format("still waiting for"),
    "lock_deadlock_avoided": _LOCK.format("avoided deadlock for"),
    "lock_deadlock_detected": "deadlock detected|" + _LOCK.format("detected deadlock while waiting for"),
    "lock_timeout": "canceling statement due to lock timeout",
    "statement_canceled_timeout": "canceling statement due to statement timeout",
    "statement_canceled_user": "canceling statement due to user request",
    "standby_statement_canceled": "canceling statement due to conflict with recovery",
    # signal 9 is the kernel's: numbers are all 0 here
    "server_out_of_memory": "out of memory|server process \\(PID 0\\) was terminated by signal 0: Killed",
    "server_crashed": "server process \\(PID 0\\) was terminated by signal |"
    "terminating any other active server processes|"
    "terminating connection because of crash of another server process|all server processes terminated; reinitializing",
    "server_process_exited": "worker process: .* (exited with exit code|was terminated by signal) |"
    'background worker "" \\(PID 0\\) (exited|was terminated)',
    "server_start_recovering": "database system (was interrupted|was not properly shut down|shutdown was interrupted)",
    "server_start": "redirecting log output to |ending log output to |database system was shut down |"
    "database system is ready to accept |MultiXact member wraparound protections are now enabled|entering standby mode|"
    "starting PostgreSQL |listening on ",
    "server_shutdown": "received (smart|fast|immediate) shutdown request|"
    "aborting any active transactions|shutting down$|"
    "the database system is shutting down|database system is shut down",
    "server_invalid_checksum": "page verification failed|invalid page in block ",
    "server_temp_file_created": "temporary file: path ",
    "server_misc": "could not (open usermap file|link file) |unexpected pageaddr ",
    "server_reload": 'received SIGHUP|parameter "" (changed to|removed from|cannot be changed without restarting)|'
    'configuration file "" contains errors',
    "server_stats_collector_timeout": "using stale statistics instead of current ones|pgstat wait timeout",
    "standby_restored_wal_from_archive": "restored log file ",
    "standby_started_streaming": "(re)?started (streaming WAL|WAL streaming) ",
    "standby_streaming_interrupted": "could not receive data from WAL stream",
    "standby_stopped_streaming": "terminating walreceiver process",
    "standby_consistent_recovery_state": "consistent recovery state reached",
    "standby_invalid_timeline": "according to history file, WAL location ",
    "unique_constraint_violation": "duplicate key value violates unique constraint|could not create unique index",
    "foreign_key_constraint_violation": "(insert or update|"
    'update or delete) on table "" violates (foreign key|RESTRICT)',
    "not_null_constraint_violation": 'null value in column ""|column "" of (relation|table) "" contains null values',
    "check_constraint_violation": 'new row for relation "" violates (check|partition) constraint|'
    '(check|partition) constraint ("" )?of relation "" is violated|check constraint "" (of|is violated)|'
    'column "" of (table|relation) "" contains values that violate|value for domain .* violates check constraint|'
    'no partition of relation "" found for row',
    "exclusion_constraint_violation": "conflicting key value violates exclusion constraint|could not create exclusion",
    "with_check_option_violation": "new row violates check option for view",
    "row_level_security_violation": "(new|target) row violates row-level security policy|"
    "query would be affected by row-level security policy",
    "syntax_error": "syntax error (at|in)",
    "unterminated_quoted_string": "unterminated quoted string",
    "unterminated_quoted_identifier": "unterminated quoted identifier",
    "sql_json_error": 'jsonpath |invalid JSON_TABLE|argument "" of jsonpath|duplicate JSON object key|'
    ".* of jsonpath input|JSON path |SQL/JSON ",
    "invalid_input_syntax": "invalid input syntax for ",
    "invalid_value": 'invalid value "" for ',
    "malformed_array_literal": "malformed array literal",
    "subquery_missing_alias": "subquery in FROM must have an alias",
    "insert_target_column_mismatch": "INSERT has more (expressions than target columns|"
    "target columns than expressions)",
    "any_all_requires_array": "op ANY/ALL \\(array\\) requires ",
    "column_missing_from_group_by": 'column "" must appear in the GROUP BY clause',
    "column_reference_ambiguous": 'column reference "" is ambiguous',
    "column_cannot_be_cast": 'column "" cannot be cast ',
    "relation_does_not_exist": '(relation|table|view|sequence|index|materialized view) "" does not exist',
    "column_does_not_exist": 'column (""|number 0|[^ ]+) (of relation "" |named in key )?does not exist',
    "operator_does_not_exist": "operator does not exist",
    "function_does_not_exist": "(function|procedure|aggregate|routine) .*does not exist",
    "object_already_exists": '[a-z ]+ (""|[^ ]+\\(.*\\)) (of relation "" )?already exists',
    "cannot_drop": "cannot drop ",
    "cannot_modify_view": 'cannot (insert into|update|delete from|merge into) (view|column "" of view) ',
    "on_conflict_no_constraint_match": "there is no unique or exclusion constraint matching the ON CONFLICT",
    "on_conflict_row_affected_twice": "(ON CONFLICT DO UPDATE|MERGE) command cannot affect row a second time",
    "inconsistent_range_bounds": "range lower bound must be less than or equal to",
    "partition_error": 'partition "" (would overlap|conflicts)|cannot attach |.* partition bound|'
    "remainder for hash partition|"
    "invalid bound specification for a |modulus for hash partition|every hash partition modulus",
    "wrong_object_type": '"" is (not )?an? |ALTER action .* cannot be performed on relation ',
    "permission_denied": "permission denied|must be (owner|superuser|able to|a member)|only superuser",
    "division_by_zero": "division by zero",
    "integer_out_of_range": "(integer|bigint|smallint) out of range|"
    'value "" is out of range for type (integer|bigint|smallint)',
    "value_out_of_range": ".* (field value )?out of range|numeric field overflow",
    "value_too_long_for_type": "value too long for type ",
    "invalid_regexp": "invalid regular expression",
    "invalid_byte_sequence": "invalid byte sequence for encoding",
    "param_missing": "there is no parameter ",
    "no_such_savepoint": 'no such savepoint|savepoint "" does not exist',
    "transaction_is_aborted": "current transaction is aborted",
    "could_not_serialize_repeatable_read": "could not serialize access due to concurrent (update|delete)",
    "could_not_serialize_serializable": "could not serialize access due to read/write dependencies",
    "pga_collector_identify": "pganalyze-collector-identify: ",
    "object_does_not_exist": '[a-z ]+ (""|0|[^ ]+) (for encoding "" |for access method "" )?does not exist',
}
_ANY: Final = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _CLASSES.items()))


def classes(messages: pl.Series) -> pl.Series:
    """Return the class (String) of each message (String), null for a text that no pattern knows.

    Messages repeat but for numbers and names: each skeleton is looked up once. Most messages of a busy server are
    durations, which need no skeleton.
    """
    duration = messages.str.starts_with("duration: ").fill_null(value=False)
    skeletons, codes = distinct_texts(
        messages.filter(~duration)
        .str.slice(0, _LENGTH)
        .str.replace("(?s)\n.*", "")
        .str.replace_all('"[^"]*"', '""')
        .str.replace_all("[0-9]+", "0")
    )
    found = [match.lastgroup if (match := _ANY.match(text)) else None for text in skeletons]
    timed = (
        pl.when(messages.str.contains(_PLAN))
        .then(pl.lit("statement_auto_explain"))
        .otherwise(pl.lit("statement_duration"))
    )
    named = pl.select(timed.alias("message_class")).to_series()
    return named.scatter((~duration).arg_true(), pl.Series(found, dtype=pl.String).gather(codes))
