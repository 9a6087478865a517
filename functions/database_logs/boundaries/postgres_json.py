"""Records of PostgreSQL's jsonlog: a line that is an object of the server's, or a run of lines that are none.

The server escapes newlines, and its objects begin with the time (jsonlog.c, write_jsonlog). Other lines are nobody's:
they are one record together, as a record each would be columns without values for millions of them.
"""

import re
from typing import Final

BEGIN: Final = b'{"timestamp":'
_LATER: Final = b"\n" + BEGIN
_OBJECT: Final = re.compile(rb"\n%b[^\n]*" % re.escape(BEGIN))


def starts(data: bytes) -> list[int]:
    """Return where the records begin, ascending, the first at 0; none without data."""
    found = [0] if data else []
    # What follows an object begins a record, whatever it is.
    follows = data.find(b"\n") + 1 if data.startswith(BEGIN) else 0
    for line in _OBJECT.finditer(data):
        begin = line.start() + 1
        if 0 < follows < begin:
            found.append(follows)
        found.append(begin)
        follows = line.end() + 1
    if 0 < follows < len(data):
        found.append(follows)
    return found


def cut(data: bytes) -> int:
    """Return how many bytes belong to records that are known to be complete: a line that is an object is, with its end.

    Args:
        data: Bytes from the start of a record on; the last line may lack its end.
    """
    begin = data.rfind(_LATER) + 1
    if not data.startswith(BEGIN, begin):
        return 0
    return data.find(b"\n", begin) + 1 or begin
