"""Points in time as counts of microseconds, by which stores compare them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """Count microseconds since 1970 UTC; a naive datetime counts as UTC."""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _MICROSECOND


def from_microseconds(count: int) -> datetime:
    """Give the aware UTC datetime of a count of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=count)
