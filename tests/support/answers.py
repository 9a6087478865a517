"""Answers that tests give in AWS's place, below botocore's own retries and parsing."""

from collections.abc import Iterator


class Body:
    """The body of an AWSResponse."""

    def __init__(self, content: bytes = b"") -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        """Yield the content, as urllib3 does."""
        yield self._content
