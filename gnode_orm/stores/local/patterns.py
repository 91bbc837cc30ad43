"""Regular expressions from users, searched in time that grows with the text alone.

The engine is RE2: whatever the pattern, it does not backtrack, so no query keeps a server busy. It knows neither
references back nor looking around; PostgreSQL searches with an engine of its own, from patterns that RE2 accepts.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from gnode_orm.errors import QueryError


@lru_cache(maxsize=64)
def compiled(pattern: str, *, any_case: bool = False) -> Any:
    """Compile a pattern.

    Raises:
        QueryError: it is none, or asks for what RE2 does not know.
    """
    import re2

    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = not any_case
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0].decode(errors="replace")
        raise QueryError(
            f"{pattern!r} is not a regular expression that can be searched: {reason} "
            "(RE2 syntax; without references back and looking around)",
            value=pattern,
        ) from None


def matches(text: str | None, pattern: str) -> bool | None:
    """Tell whether a text holds a pattern; for SQL, so that nothing gives nothing."""
    return None if text is None else compiled(pattern).search(text) is not None


def matches_in_any_case(text: str | None, pattern: str) -> bool | None:
    """Tell whether a text holds a pattern in upper or lower case."""
    return None if text is None else compiled(pattern, any_case=True).search(text) is not None
