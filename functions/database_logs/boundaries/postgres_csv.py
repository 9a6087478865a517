"""Records of PostgreSQL's csvlog: from a line that begins as only a record can, up to the next.

Newlines stand inside of quotes, so that counting quotes from the start of the file would tell where records begin, and
one line that was cut would put all that follows out of step. But what stands in quotes has its own quotes doubled: a
line that has the first fourteen columns with single quotes begins a record, whatever is before it.
"""

import re
from typing import Final

_TIME: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"
_NAME: Final = r'(?:"(?:[^"\n]|"")*")?'
# The columns up to sql_state_code (PostgreSQL manual, "Using CSV-Format Log Output").
HEAD: Final = (
    rf"(?P<log_time>{_TIME}\.[0-9]{{3}} [^\s,\"]+),(?P<user_name>{_NAME}),(?P<database_name>{_NAME}),"
    r"(?P<process_id>[0-9]+),"
    rf'(?P<connection_from>(?:"[^"\n]*")?),(?P<session_id>[0-9a-f]+\.[0-9a-f]+),(?P<session_line>[0-9]+),'
    rf'(?P<command_tag>(?:"[^"\n]*")?),(?P<session_start>{_TIME} [^\s,"]+),(?P<virtual_transaction_id>[^,"\n]*),'
    r"(?P<transaction_id>[0-9]*),(?P<severity>[A-Z]+[1-5]?),(?P<sqlstate>[0-9A-Z]{5}),"
)
# A message that begins with quotes has an odd number of them here; in one that quotes a record they are even.
BEGIN: Final = rf'{HEAD}(?:"(?:"")*[^"]|"",|,)'
# Lines that may begin a record, from the newline before.
CANDIDATE: Final = re.compile(rb"\n(?=[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:)")
# Bytes that are looked through at once, from the end backwards, and those of a candidate that may lie behind them.
_WINDOW: Final = 1 << 16
_TIME_BYTES: Final = 16
_BEGIN: Final = re.compile(BEGIN.encode())


def cut(data: bytes) -> int:
    """Return how many bytes belong to records that are complete: the start of the last record, 0 if it is the first.

    Args:
        data: Bytes from the start of a record on; the last line may lack its end.
    """
    for end in range(len(data), 0, -_WINDOW):
        lines = [match.end() for match in CANDIDATE.finditer(data, max(0, end - _WINDOW), end + _TIME_BYTES)]
        for start in reversed(lines):
            if _BEGIN.match(data, start):
                return start
    return 0
