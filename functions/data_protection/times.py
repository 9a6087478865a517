"""Times in AWS' answers."""

from datetime import UTC, datetime


def moment(text: str) -> datetime:
    """Return the instant of an ISO 8601 text, in UTC."""
    instant = datetime.fromisoformat(text)
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)


def stamp(at: datetime) -> str:
    """Return an instant as Step Functions takes it: RFC 3339, in UTC, by the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
