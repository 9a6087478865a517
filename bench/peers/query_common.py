"""What both engines of the query benchmark need: the questions' constants, the rules for raw rows, and the measuring.

An engine is a script: `<python> bench/peers/query_<engine>.py <side> <question> <raw> <lake>`. It answers the question
once and prints one line of JSON: the answer, CPU seconds and bytes read. Only standard modules are imported here.

Sides: `lake` asks the sealed files. `raw` asks the raw object and gives the same answer, so it drops the rows that
cannot be right and counts a repeated one once. `hasty` is raw without that care: its answers may be wrong.
"""

import json
import resource
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

# What the rules for a row come down to on this file, as an analyst would write them.
RANGES = {
    "MatchIndex": 2**63 - 1,
    "OriginResponseStatus": 999,
    "EdgeResponseStatus": 999,
    "ClientASN": 4_294_967_295,
}
_OCTET = r"(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
IPV4 = rf"^{_OCTET}(\.{_OCTET}){{3}}$"
IPV6 = r"^([0-9a-fA-F]{1,4}:)*([0-9a-fA-F]{1,4}|:)?(:[0-9a-fA-F]{1,4})*$"
# What tells two events apart on this file; the lake compares all columns.
IDENTITY = {"RayID": "ray_id", "MatchIndex": "match_index", "ClientIP": "client_ip"}

# What the answer is made of, by question and in Cloudflare's names; listed events begin with their instant.
COLUMNS = {
    "host_hour": ("ClientIP", "ClientRequestPath", "Action", "RuleID"),
    "address_day": ("ClientIP", "ClientRequestHost", "ClientRequestPath", "Action", "EdgeResponseStatus"),
    "rule": ("ClientIP",),
    "ray_id": (
        "Action",
        "ClientCountry",
        "ClientIP",
        "ClientRequestHost",
        "ClientRequestMethod",
        "ClientRequestPath",
        "ClientRequestUserAgent",
        "Description",
        "EdgeResponseStatus",
        "MatchIndex",
        "RuleID",
        "Source",
    ),
    "top_hosts": ("ClientRequestHost",),
    "path_pattern": ("ClientRequestHost", "Action"),
}
# Questions that are answered by the most frequent; the others list events.
COUNTED = ("rule", "top_hosts", "path_pattern")
LAKE_NAMES = {
    "Action": "action",
    "ClientCountry": "client_country",
    "ClientRequestHost": "client_request_host",
    "ClientRequestMethod": "client_request_method",
    "ClientRequestPath": "client_request_path",
    "ClientRequestUserAgent": "client_request_user_agent",
    "Description": "description",
    "EdgeResponseStatus": "edge_response_status",
    "RuleID": "rule_id",
    "Source": "source",
    **IDENTITY,
}
TEMPLATE = "/api/v2/dealers/{n}/stock"
TEMPLATE_PATTERN = r"^/api/v2/dealers/[0-9]+/stock$"
BLOCK = "block"
TOP = 20


@dataclass(frozen=True)
class Asked:
    """A question and what it is put to."""

    question: str
    care: bool
    raw: Path
    lake: Path
    day: str
    host: str
    hour: int
    address: str
    rule: str
    ray_id: str
    domain: str

    @property
    def events(self) -> str:
        """Glob of the sealed files of events."""
        return str(self.lake / "sealed" / "events" / "*" / "*.parquet")

    @property
    def hourly(self) -> str:
        """Glob of the sealed files of hourly counts."""
        return str(self.lake / "sealed" / "hourly" / "*" / "*.parquet")

    @property
    def rays(self) -> str:
        """Glob of the files that tell where a Ray ID is."""
        return str(self.lake / "sealed" / "rays" / "*" / "*.parquet")

    @property
    def addresses(self) -> str:
        """Glob of the files that count events by rule and address."""
        return str(self.lake / "sealed" / "addresses" / "*" / "*.parquet")

    @property
    def domain_pattern(self) -> str:
        """Regular expression of a Host header in the registered domain."""
        return rf"(?i)^(.*\.)?{self.domain.replace('.', '[.]')}\.?(:[0-9]+)?$"

    @property
    def span(self) -> tuple[datetime, datetime]:
        """First instant that is asked for and the one after the last."""
        day = datetime.fromisoformat(self.day).replace(tzinfo=UTC)
        if self.question == "host_hour":
            start = day + timedelta(hours=self.hour)
            return start, start + timedelta(hours=1)
        return day, day + timedelta(days=1)


Answer = list[tuple[Any, ...]]


def answer(lake: Callable[[Asked], Answer], raw: Callable[[Asked], Answer], warm: Callable[[Path], object]) -> None:
    """Answer what the command line asks, and print answer and cost.

    The engine is warmed by a file of a few rows first, since an analyst's session is: starting threads and loading
    code is not counted. CPU seconds are those of the process. Bytes are what its reads returned (`rchar` of the
    kernel's account), which counts the page cache as well as the disk.
    """
    side, question, raw_path, lake_path = sys.argv[1:]
    given = json.loads(Path(lake_path, "questions.json").read_text())
    asked = Asked(question=question, care=side == "raw", raw=Path(raw_path), lake=Path(lake_path), **given)
    with tempfile.TemporaryDirectory() as folder:
        warm(Path(folder) / "warm.parquet")
    cpu, read = _cpu(), _read()
    rows = lake(asked) if side == "lake" else raw(asked)
    cpu, read = _cpu() - cpu, _read() - read
    if question not in COUNTED:
        rows.sort(key=json.dumps)  # engines order nulls and text each in their way
    print(json.dumps({"answer": rows, "cpu_s": round(cpu, 4), "bytes": read}))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _read() -> int:
    return int(Path("/proc/self/io").read_text().split()[1])
