r"""Statements without what varies between two runs of them: fingerprints and their ids.

The rules are those of percona/go-mysql's `query.Fingerprint` and `query.Id` (BSD-3), which Percona's tools share, with
three differences: a doubled quote does not end a string, a minus between two operands stays, and names in CALL are
lower case. For PostgreSQL double quotes hold names, `$1` and `$tag$...$tag$` are values, backslashes escape in E'...'
alone, comments nest, `#` is an operator and `::type` stays.

Many texts are one string here, NUL between them, so that each rule is one pass of C code over all of them. The first
is the one that matters: a single scan from left to right, as only that knows a quote in a comment from a comment in
quotes. What follows sees neither strings nor comments.
"""

import re
from collections.abc import Iterator
from hashlib import md5
from typing import Final, Literal

import polars as pl

from database_logs.distinct import distinct_texts, mapped

Dialect = Literal["mysql", "postgres"]

# Between texts; in place of a string with a prefix (x'0f'); after a word that opens no list of values.
END, _PREFIXED, _NO_LIST = "\0", "\1", "\2"
MARKS: Final = r"[\x00-\x02]"
# Texts that are one string together: their copies are what the passes need memory for.
_BATCH_BYTES: Final = 4 << 20
# Parentheses within a list of values, above which it keeps its form: a regex cannot count.
_DEPTH: Final = 6
_ADMINISTRATOR: Final = "administrator command:"

# Each form of a token, without the character that it begins with: that one is looked at first, for all of them at once,
# since a search for one of a few characters is what the regex engine does fast.
_PREFIX: Final = r"(?<=[xXbBnNeE]')(?<![\w$].')"
_ESCAPED: Final = r"(?<=')[^'\\\0]*+(?:(?:\\[^\0]|'')[^'\\\0]*+)*+\\?+'?+"
_PLAIN: Final = r"(?<=')[^'\0]*+(?:''[^'\0]*+)*+'?+"
_DOUBLE_ESCAPED: Final = r'(?<=")[^"\\\0]*+(?:(?:\\[^\0]|"")[^"\\\0]*+)*+\\?+"?+'
_DOUBLE_PLAIN: Final = r'(?<=")[^"\0]*+(?:""[^"\0]*+)*+"?+'
# What is within /*! runs, on MariaDB what is within /*M! too.
_VERSIONED: Final = r"(?<=/)\*M?!\d*+"
_COMMENT: Final = r"(?<=/)\*(?!M?!)[^*\0]*+(?:\*(?!/)[^*\0]*+)*+(?:\*/)?+"
_CAST: Final = r"(?<=:):\s*+[\w.]++(?:\s*+\(\s*+\d++(?:\s*+,\s*+\d++)*+\s*+\))?+"
_PARAMETER: Final = r"(?<=\$)(?<![\w$]\$)\d++(?!\w)"
_DOLLARS: Final = r"(?<=\$)(?<![\w$]\$)(?P<tag>(?:[^\W\d]\w*+)?+)\$(?:(?!\$(?P=tag)\$)[^\0])*+(?:\$(?P=tag)\$)?+"


def _number(digits: str) -> str:
    """Return forms of numbers; a sign belongs to one where it cannot stand between two operands."""
    exponent = r"(?:[eE][+-]?\d++)?+(?![\w$])"
    sign = r"(?<=[-+])(?<=[\s(,=<>\0].)"
    return (
        r"(?<=[0-9])(?<![\w$.].)(?:(?<=0)[xX][0-9a-fA-F]++(?![\w$])|(?<=0)[bo][0-9]++(?![\w$])"
        rf"|{digits}*+\.?+\d*+{exponent})"
        rf"|(?<=\.)(?<![\w$.].)\d++{exponent}"
        rf"|{sign}(?:0[xX][0-9a-fA-F]++(?![\w$])|(?:{digits}++\.?+\d*+|\.\d++){exponent})"
    )


def _nested_comment() -> str:
    body = r"[^*/\0]++|\*(?!/)|/(?!\*)"
    nested = rf"/\*(?:{body})*+(?:\*/)?+"
    for _ in range(3):
        nested = rf"/\*(?:{body}|{nested})*+(?:\*/)?+"
    return nested.replace("/", "(?<=/)", 1)


# A match outside of the groups prefixed, kept and comment is a value.
TOKENS: Final[dict[Dialect, re.Pattern[str]]] = {
    "mysql": re.compile(
        rf"[-+.0-9'\"`/#](?:{_number('[0-9]')}|(?P<prefixed>{_PREFIX}{_ESCAPED})|{_ESCAPED}|{_DOUBLE_ESCAPED}"
        rf"|(?P<kept>(?<=`)[^`\0]*+`?+|{_VERSIONED})"
        rf"|(?P<comment>{_COMMENT}|(?<=-)-(?=[\s\0])[^\n\0]*+\n?+|(?<=\#)[^\n\0]*+\n?+))"
    ),
    "postgres": re.compile(
        rf"[-+.0-9'\"$:/](?:{_number('[0-9_]')}|(?P<prefixed>{_PREFIX}(?:(?<=[eE]'){_ESCAPED}|{_PLAIN}))"
        rf"|(?P<kept>{_DOUBLE_PLAIN}|{_CAST})"
        rf"|(?P<comment>{_nested_comment()}|(?<=-)-[^\n\0]*+\n?+)"
        rf"|{_PLAIN}|{_PARAMETER}|{_DOLLARS})"
    ),
}


def _balanced(depth: int) -> str:
    inside = r"[^()\0]*+"
    for _ in range(depth):
        inside = rf"(?:[^()\0]++|\({inside}\))*+"
    return inside


_WORDS: Final = ("in", "values", "value")
_OPENED = "(?:" + "|".join(rf"(?<=[ )`]{word}\()" for word in _WORDS) + ")"
_INSIDE = _balanced(_DEPTH)
_LIST: Final = re.compile(rf"\({_OPENED}(?! ?select\b| ?\)){_INSIDE}\)(?: ?, ?\({_INSIDE}\))*+")
_SUBQUERY: Final = re.compile(rf"\({_OPENED} ?(select\b{_INSIDE})\)")
_DUPLICATE: Final = re.compile(rf"on duplicate key update [^{END}]*")
_OPENING: Final = re.compile(r"(?<=[ )`=])(in|values?)( ?)\(")
_NULL: Final = re.compile(r"null(?![\w$`])(?<![\w$`.]null)(?<! is null)(?<! not null)")
# Group: what keeps its digits, which are names in backticks, numbers of versions, and words that begin with a digit.
_DIGITS: Final = re.compile(r"(`[^`\0]*+`?+|/\*M?!\d++|(?<!\w)\d\w*+)|\d++")
_ORDER: Final = re.compile(r"order by [^\0]*")
_ASCENDING: Final = re.compile(r" asc(?![\w$`])")
_CALL: Final = re.compile(rf"{END}call ([^ (\0]+) ?\([^\0]*")
_USE: Final = re.compile(rf"{END}use [^\0]*")


# Statements are alike but for their values: where strings, parameters and plain numbers can be told without a
# tokenizer, they become '0' before the distinct statements are taken, of which few are left.
_STRINGS_AND_NUMBERS: Final = r"'[^'\\]*'|(?-u:\b)[0-9]+(?:\.[0-9]+)?(?-u:\b)"
_VALUE: Final[dict[Dialect, str]] = {
    "mysql": _STRINGS_AND_NUMBERS,
    "postgres": rf"{_STRINGS_AND_NUMBERS}|\$[0-9]+(?-u:\b)",
}
# They can if what is left has plain names in quotes; anything that may have hidden a quote begins before that quote,
# and is left too;
_PLAIN_NAMES: Final[dict[Dialect, str]] = {
    "mysql": r"""^(?:[^"'`]|'0'|"[^"']*"|`[A-Za-z_][0-9A-Za-z_]*`)*$""",
    "postgres": r"""^(?:[^"']|'0'|"[A-Za-z_][0-9A-Za-z_]*")*$""",
}
# if nothing beside a value may have been a part of it; and if there are no backslashes, comments, dollars, casts with a
# length and letters beyond ASCII.
_ODD_ANYWHERE: Final = (
    r"""''|'"|"'|[-+.]'|[0-9A-Za-z_]'0'|'\.|[0-9]\.|\.[0-9]|\\|--|/\*|\$|[^\x03-\x7f]""" + f"|^{_ADMINISTRATOR}"
)
_ODD: Final[dict[Dialect, str]] = {
    "mysql": f"{_ODD_ANYWHERE}|#",
    "postgres": rf"{_ODD_ANYWHERE}|::[^,()]*\(|::[^A-Za-z]",
}


def fingerprint(texts: pl.Series, dialect: Dialect = "mysql", *, digits_in_words: bool = False) -> pl.Series:
    """Return what statements that differ in values alone have in common, such as `select c from t where id=?`.

    Args:
        texts: Strings; statements without the semicolon that ends them in a log. Equal texts are looked at once.
        dialect: Whose quotes and comments they have.
        digits_in_words: Also replace the digits of names that begin with a letter: `orders_17` is one of many shards.

    Returns:
        Strings under the name of `texts`, null for null. Commands of administrators stay as they are.
    """

    def generalised(joined: str) -> str:
        text = TOKENS[dialect].sub(_without_value, joined)
        return _generalised(_DIGITS.sub(_without_digits, text) if digits_in_words else text)

    def generalised_all(distinct: pl.Series) -> list[str]:
        result: list[str] = []
        for batch in _batches(distinct.str.replace_all(MARKS, " ")):
            # An END at both sides: each text begins after one and stands before one.
            result += generalised(END + END.join(batch) + END).split(END)[1:-1]
        return [text if text.startswith(_ADMINISTRATOR) else new for text, new in zip(distinct, result, strict=True)]

    return mapped(alike(texts, dialect), generalised_all)


def fingerprint_ids(fingerprints: pl.Series) -> pl.Series:
    """Return the last 16 hexadecimal digits of the MD5 of each fingerprint, upper case: the ids of Percona's tools."""

    def ids(distinct: pl.Series) -> list[str]:
        return [md5(text.encode(), usedforsecurity=False).hexdigest()[16:].upper() for text in distinct]

    return mapped(fingerprints, ids)


def alike(texts: pl.Series, dialect: Dialect) -> pl.Series:
    """Return texts of which fewer are distinct, with the same fingerprints and the same redacted texts."""
    replaced = texts.str.replace_all(_VALUE[dialect], "'0'")
    distinct, codes = distinct_texts(replaced)
    plain = distinct.str.contains(_PLAIN_NAMES[dialect]) & ~distinct.str.contains(_ODD[dialect])
    return replaced if plain.all() else replaced.zip_with(plain.gather(codes).fill_null(value=False), texts)


def _batches(texts: pl.Series) -> Iterator[list[str]]:
    numbers = (texts.str.len_bytes().cast(pl.Int64).cum_sum() // _BATCH_BYTES).to_frame("batch")
    for rows in numbers.group_by("batch", maintain_order=True).agg(pl.len())["len"]:
        yield texts.head(rows).to_list()
        texts = texts.slice(rows)


def _without_value(token: re.Match[str]) -> str:
    match token.lastgroup:
        case "prefixed":
            return _PREFIXED
        case "kept":
            return token[0]
        case "comment":
            # It separates words, as far as there are words to separate.
            text, start, end = token.string, token.start(), token.end()
            return " " if _is_word(text[start - 1]) and _is_word(text[end : end + 1]) else ""
    return "?"


def _without_digits(token: re.Match[str]) -> str:
    return token[1] or "?"


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _without_prefixes(text: str) -> str:
    if _PREFIXED in text:
        for letter in "xXbBnNeE":
            text = text.replace(letter + _PREFIXED, "?")
    return text


def _generalised(text: str) -> str:
    """Apply the rules that need neither strings nor comments to texts between ENDs."""
    text = _collapsed(_without_prefixes(text.lower()))
    text = _NULL.sub("?", text)
    text = _USE.sub(f"{END}use ?", _CALL.sub(rf"{END}call \1", text))
    text = _listed(text)
    return _ORDER.sub(lambda clause: _ASCENDING.sub("", clause[0]), text) if " asc" in text else text


def _collapsed(text: str) -> str:
    for blank in "\t\r\n":
        text = text.replace(blank, " ")
    while "  " in text:
        text = text.replace("  ", " ")
    return text.replace(f" {END}", END).replace(f"{END} ", END)


def _listed(text: str) -> str:
    text = _DUPLICATE.sub(lambda clause: _OPENING.sub(rf"\1\2{_NO_LIST}(", clause[0]), text)
    for word in _WORDS:
        for before in " )`":
            text = text.replace(f"{before}{word} (", f"{before}{word}(")
    return _LIST.sub("(?+)", _trimmed_subqueries(text)).replace(f"{_NO_LIST}(", "(")


def _trimmed_subqueries(text: str) -> str:
    return _SUBQUERY.sub(lambda query: f"({_trimmed_subqueries(query[1]).rstrip(' ')})", text)
