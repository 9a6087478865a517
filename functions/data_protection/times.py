"""Times in AWS' answers."""

from datetime import UTC, datetime


def moment(text: str) -> datetime:
    """Return the instant of an ISO 8601 text, in UTC."""
    instant = datetime.fromisoformat(text)
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
