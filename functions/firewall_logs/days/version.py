"""The version of the compaction: part of the identity of a day's inputs, and so of every compacted file's key."""

from typing import Final

# Like `TRANSFORM_VERSION`: the writer's version decides bytes and belongs to it (a test compares it with the lock).
# Raise the first number with every change of the code that changes bytes; a test knows the bytes of a small cut.
COMPACTION_VERSION: Final = "3+polars-2.1.0"
