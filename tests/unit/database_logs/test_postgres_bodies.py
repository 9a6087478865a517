"""What PostgreSQL's messages hold."""

import json
from typing import Any

import pytest

from tests.support.postgres_logs import line, record
from tests.support.rds_samples import expected, sample


@pytest.mark.parametrize(
    ("message", "kind", "name", "query", "duration"),
    [
        ("duration: 12.500 ms", None, None, None, 12.5),
        ("duration: 0.1 ms  statement: SELECT 1", "statement", None, "SELECT 1", 0.1),
        ("duration: 0.1 ms  parse S_1: SELECT $1", "parse", "S_1", "SELECT $1", 0.1),
        ("duration: 0.1 ms  bind S_1/C_2: SELECT $1", "bind", "S_1/C_2", "SELECT $1", 0.1),
        ("duration: 0.1 ms  execute <unnamed>: \nSELECT ': x'", "execute", "<unnamed>", "\nSELECT ': x'", 0.1),
        ("duration: 0.1 ms  execute fetch from S_1/C_2: SELECT $1", "execute", "S_1/C_2", "SELECT $1", 0.1),
        ("statement: BEGIN", "statement", None, "BEGIN", None),
        ("execute a2: SELECT 1", "execute", "a2", "SELECT 1", None),
    ],
)
def test_logged_statements_are_taken_apart(
    message: str, kind: str | None, name: str | None, query: str | None, duration: float | None
) -> None:
    found = record(line("LOG", message))
    assert (found["statement_kind"], found["statement_name"], found["query"]) == (kind, name, query)
    assert found["duration_ms"] == duration
    assert found["message"] == (message if query is None else message.removesuffix(query).rstrip(" "))


def test_parameters_are_those_of_the_detail() -> None:
    found = record(line("LOG", "duration: 1.0 ms  execute x: SELECT $1") + line("DETAIL", "Parameters: $1 = 'it''s'"))
    assert (found["parameters"], found["detail"]) == ("$1 = 'it''s'", None)
    assert record(line("ERROR", "no") + line("DETAIL", "Key (a)=(1)."))["detail"] == "Key (a)=(1)."


def test_statements_have_fingerprints() -> None:
    found = record(line("LOG", "statement: SELECT \"A\" FROM t WHERE b = 'x' AND c IN (1, 2)"))
    assert found["fingerprint"] == 'select "a" from t where b = ? and c in(?+)'
    assert len(found["fingerprint_id"]) == 16


def test_temporary_files_have_a_size() -> None:
    message = 'temporary file: path "base/pgsql_tmp/pgsql_tmp15967.0", size 200204288'
    found = record(line("LOG", message) + line("STATEMENT", "SELECT 1"))
    assert (found["temporary_file_bytes"], found["query"]) == (200_204_288, "SELECT 1")


def test_audited_commands_are_taken_apart() -> None:
    text = 'AUDIT: OBJECT,3,1,READ,SELECT,TABLE,"public.a,b","SELECT ""x"",\n 1",\'$1\'\n'
    found = record(line("LOG", text.strip()))
    assert found["audit_type"] == "OBJECT"
    assert (found["audit_statement_id"], found["audit_substatement_id"]) == (3, 1)
    assert (found["audit_class"], found["audit_command"]) == ("READ", "SELECT")
    assert (found["audit_object_type"], found["audit_object_name"]) == ("TABLE", "public.a,b")
    assert (found["query"], found["statement_kind"], found["parameters"]) == ('SELECT "x",\n 1', "audit", "'$1'")
    assert found["message_class"] == "statement_audit"


def test_what_pgaudit_does_not_log_is_null() -> None:
    found = record(line("LOG", "AUDIT: SESSION,1,1,DDL,CREATE TABLE,,,<previously logged>,<none>"))
    assert (found["audit_command"], found["audit_object_type"], found["query"], found["parameters"]) == (
        *("CREATE TABLE", None, None, None),
    )


_TEXT_PLAN = """duration: 1681.452 ms  plan:
Query Text: UPDATE a SET b = b + 2656
  WHERE c = 59;
Query Parameters: $1 = 'x'
Update on public.a  (cost=0.27..8.29 rows=1 width=370) (actual time=1681.4..1681.45 rows=2 loops=1)
  ->  Index Scan using i on a  (cost=0.27..8.28 rows=1 width=370) (actual time=0.1..0.2 rows=3 loops=1)"""
_XML_PLAN = """duration: 2.0 ms  plan:
<explain xmlns="http://www.postgresql.org/2009/explain">
  <Query-Text>SELECT 1 WHERE 1 &lt; 2</Query-Text>
  <Plan>
    <Node-Type>Result</Node-Type>
    <Total-Cost>0.01</Total-Cost>
    <Actual-Total-Time>0.002</Actual-Total-Time>
    <Actual-Rows>1</Actual-Rows>
  </Plan>
</explain>"""
_YAML_PLAN = """duration: 2.0 ms  plan:
Query Text: "SELECT \\"x\\" WHERE 1 < 2"
Plan:
  Node Type: "Result"
  Total Cost: 0.01
  Actual Total Time: 0.002
  Actual Rows: 1"""


@pytest.mark.parametrize(
    ("text", "plan_format", "query", "measured"),
    [
        (_TEXT_PLAN, "text", "UPDATE a SET b = b + 2656\n  WHERE c = 59;", ("Update on public.a", 8.29, 1681.45, 2.0)),
        (_XML_PLAN, "xml", "SELECT 1 WHERE 1 < 2", ("Result", 0.01, 0.002, 1.0)),
        (_YAML_PLAN, "yaml", 'SELECT "x" WHERE 1 < 2', ("Result", 0.01, 0.002, 1.0)),
    ],
)
def test_plans_are_read_in_each_format(text: str, plan_format: str, query: str, measured: tuple[Any, ...]) -> None:
    found = record(line("LOG", text))
    assert (found["plan_format"], found["query"], found["statement_kind"]) == (plan_format, query, "plan")
    names = ("plan_node", "plan_total_cost", "plan_actual_ms", "plan_actual_rows")
    assert tuple(found[name] for name in names) == measured
    assert found["plan"] == text.partition("plan:\n")[2]
    assert found["message"].endswith("plan:")


def test_published_json_plans_give_their_top_node_and_statement() -> None:
    folder = sample("pganalyze/logs/querysample/testdata")
    read = 0
    for path in sorted(folder.glob("json_*.in.json")):
        text = path.read_text()
        plan = json.loads(text)
        found = record(line("LOG", f"duration: 1.5 ms  plan:\n{text}"))
        assert found["plan_format"] == "json"
        assert found["query"] == plan["Query Text"], path.name
        top = plan["Plan"]
        assert found["plan_node"] == top["Node Type"], path.name
        assert found["plan_total_cost"] == top.get("Total Cost"), path.name
        assert found["plan_actual_rows"] == top.get("Actual Rows"), path.name
        read += 1
    assert read > 20


def test_published_messages_give_their_statements_and_durations() -> None:
    cases = [(lines, queries[0]) for lines, _, queries in expected("pganalyze/expected/analyze_lines.json") if queries]
    assert len(cases) == 9
    for lines, wanted in cases:
        labelled = [(str(each.get("LogLevel", "_LOG")).rpartition("_")[2], each["Content"]) for each in lines]
        found = record("".join(line(label, text.rstrip("\n").replace("\n\t", "\n")) for label, text in labelled))
        # upstream leaves the tabs in
        assert found["query"].strip() == wanted["Query"].replace("\n\t", "\n").strip()
        assert found["duration_ms"] == wanted["RuntimeMs"]
