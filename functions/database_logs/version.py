"""The version of the parsers: part of the key of everything that is made of a segment."""

from typing import Final

# Raise it with every change of parsers, of polars or of how files are written that changes the bytes of a file of the
# lake; a test knows the bytes of a small one. A segment that is parsed again then replaces what an older version made.
PARSER_VERSION: Final = 4
