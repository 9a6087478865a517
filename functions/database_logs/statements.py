r"""Statements with `?` in place of each number and string, cut where nobody can tell what is a string.

A log has statements that no parser ever took: of a syntax error, or of MySQL's general log, which is written first. One
quote too many makes text of values and values of text. So does a backslash before a quote, as the session decides what
it means (MySQL's NO_BACKSLASH_ESCAPES, PostgreSQL's standard_conforming_strings; in E'...' it always escapes).
"""

import re
from typing import Final

import polars as pl

from database_logs.distinct import mapped
from database_logs.fingerprints import END, MARKS, TOKENS, Dialect, alike

_CUT: Final = "…"
_BACKSLASH: Final = re.compile(r"""(?s)(?:^|[^\\])(?:\\\\)*\\['"]""")
# What may stand right before a string: its kind, or MySQL's name of a character set.
_KIND: Final = re.compile(r"(?i)(?<![\w$\\'\"`])(?:_[a-z]\w*|date|time|timestamp|interval|[xbne])\Z")
_LONGEST_KIND: Final = 32
# After a value comes punctuation, an operator or a clause. Other words may be an alias; but where nothing parts them
# from the next value, they may as well be what stands between two quotes of one value.
_CLAUSES: Final = (
    "and as at between by character collate comment cross default desc div else enclosed end escape escaped "
    "except for from full group having identified ilike in inner intersect into is join left like limit lines mod "
    "natural not null offset on optionally or order regexp returning right rlike row rows separator set similar "
    "starting terminated then to union using when where with xor"
)
_BETWEEN: Final = re.compile(rf"(?i)\s++(?!(?:{_CLAUSES.replace(' ', '|')})\b)\w[^,()=<>;]*")
_QUOTES: Final = "'\"`"
_ESCAPED: Final = re.compile(r"(?s)\\.")


def redact(texts: pl.Series, dialect: Dialect = "mysql") -> pl.Series:
    """Return statements with `?` in place of each number and string, everything else as it is, comments too.

    A doubtful one ends with an ellipsis. One with a backslash before a quote ends before that string. One that is torn
    ends before its first value, as any quote may be the one too many: a string, or a name in quotes, that never ends or
    that touches a word, a backslash or another quote (but for `x'0f'`, `_utf8'a'`, `date'...'`); a name that holds a
    quote; a value that nothing parts from the next one but words that begin no clause and are no operator.

    Args:
        texts: Strings; whole or cut statements.
        dialect: Whose quotes and comments they have.

    Returns:
        Strings under the name of `texts`, null for null. Characters U+0000 to U+0002 are blanks in it.
    """

    def redacted(distinct: pl.Series) -> list[str]:
        return [_redacted(f"{END}{text}{END}", dialect) for text in distinct.str.replace_all(MARKS, " ")]

    return mapped(alike(texts, dialect), redacted)


def is_doubtful(redacted: pl.Series) -> pl.Series:
    """Return which redacted statements end where the doubt began."""
    return redacted.str.ends_with(_CUT)


def _redacted(text: str, dialect: Dialect) -> str:
    """Return what stands between the two ENDs, redacted."""
    values: list[tuple[int, int]] = []
    names: list[int] = []
    cut = None
    for token in TOKENS[dialect].finditer(text):
        start, end = token.span()
        is_quoted = text[start] in _QUOTES or token.lastgroup == "tag"
        is_value = token.lastgroup not in {"kept", "comment"}
        start -= token.lastgroup == "prefixed"
        if is_value:
            values.append((start, end))
        elif is_quoted:
            names.append(start)
        if (is_quoted and _is_torn(token, start)) or (is_value and _is_unparted(text, values)):
            # A name may have swallowed strings.
            cut = min(*names[: not is_value], *(first for first, _ in values[:1]), start)
        elif is_value and is_quoted and _is_the_session_s(token, dialect):
            cut = start
        if cut is not None:
            break
    pieces: list[str] = []
    written = 1
    for start, end in values:
        if cut is not None and start >= cut:
            break
        pieces += text[written:start], "?"
        written = end
    pieces.append(text[written:-1] if cut is None else f"{text[written:cut]}?{_CUT}")
    return "".join(pieces)


def _is_the_session_s(string: re.Match[str], dialect: Dialect) -> bool:
    escapes = dialect == "postgres" and string.lastgroup == "prefixed" and string.string[string.start() - 1] in "eE"
    return not escapes and string.lastgroup != "tag" and _BACKSLASH.search(string[0]) is not None


def _is_torn(token: re.Match[str], start: int) -> bool:
    is_odd = token.lastgroup == "kept" and "'" in token[0]
    return is_odd or not _is_closed(token) or _touches(token.string, start, token.end())


def _is_unparted(text: str, values: list[tuple[int, int]]) -> bool:
    return len(values) > 1 and _BETWEEN.fullmatch(text, values[-2][1], values[-1][0]) is not None


def _is_closed(token: re.Match[str]) -> bool:
    text = token[0]
    if token.lastgroup == "tag":
        mark = f"${token['tag']}$"
        return text.endswith(mark) and len(text) >= 2 * len(mark)
    return _ESCAPED.sub("", text).count(text[0]) % 2 == 0


def _touches(text: str, start: int, end: int) -> bool:
    if _joins(text[end]):
        return True
    return _joins(text[start - 1]) and not _KIND.search(text, max(1, start - _LONGEST_KIND), start)


def _joins(character: str) -> bool:
    return character.isalnum() or character in "_\\'\"" or character > "\x7f"
