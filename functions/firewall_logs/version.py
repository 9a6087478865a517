"""The version of the transform: part of every object's identity."""

from typing import Final

# The bytes of a parquet file change with its writer, so the writer's version belongs to the transform's. A new
# version is a new identity: objects processed again under it get new keys beside the old ones. A test compares the
# writer with the lock.
TRANSFORM_VERSION: Final = "1+polars-2.1.0"
