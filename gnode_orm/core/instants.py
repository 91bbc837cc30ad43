"""Points in time as counts of microseconds, by which stores compare them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Microseconds fit into 64 bits; larger versions are revision ids of a server, 128 bits.
_TIMES = 2**63
_LIKELY_YEARS = range(2000, 2101)
_UUID_EPOCH = datetime(1582, 10, 15, tzinfo=UTC)


def microseconds(moment: datetime) -> int:
    """Count microseconds since 1970 UTC; a naive datetime counts as UTC."""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _MICROSECOND


def from_microseconds(count: int) -> datetime:
    """Give the aware UTC datetime of a count of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=count)


def time_of(version: int) -> datetime | None:
    """Give the time at which a version was written; ``None`` where a server's revision id does not tell it."""
    if version < _TIMES:
        return from_microseconds(version) if version else None
    revision = UUID(int=version)
    if revision.version != 1:
        return None
    moment = _UUID_EPOCH + timedelta(microseconds=revision.time // 10)
    # Some ids look as if they held a time, and tell one by chance.
    return moment if moment.year in _LIKELY_YEARS else None
