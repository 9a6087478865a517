"""The version of the transform: part of every object's identity."""

from typing import Final

# The bytes of a file change with its writer and with the public suffix list, so their versions belong to the
# transform's; a test compares them with the lock. Raise the first number with every change of the code that changes
# bytes; a test knows the bytes of a small file.
TRANSFORM_VERSION: Final = "4+polars-2.1.0+psl-1.1.2.20261023"
