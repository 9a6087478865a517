"""How long what lies in a storage class takes to be readable again."""

from typing import Final

from data_protection.lifecycle.rules import StorageClass

# Of a standard retrieval, at most; a bulk one takes up to 48 hours:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects-retrieval-options.html
_HOURS: Final = {StorageClass.GLACIER: 5, StorageClass.DEEP_ARCHIVE: 12}


def hours(storage_class: StorageClass) -> int:
    """Return how many hours pass at most until an object of a class can be read; 0 where it answers at once."""
    return _HOURS.get(storage_class, 0)
