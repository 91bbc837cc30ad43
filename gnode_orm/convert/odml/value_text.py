"""Values of odML properties as text, by dtype, and back.

===================  ===========================================================
int                  ``42``
float                the shortest text that gives the same number, ``nan``, ``-0.0``
boolean              ``true``, ``false``
date, time           ``2014-03-21``, ``10:30:00``
datetime             ``2014-03-21 10:30:00``
n-tuple              ``(1;2;3)``
anything else        the text itself
===================  ===========================================================
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

_DATE = re.compile(r"\s*(\d{4})-(\d{1,2})-(\d{1,2})\s*")
_TIME = re.compile(r"\s*(\d{1,2}):(\d{1,2}):(\d{1,2})\s*")
_TUPLE = re.compile(r"([1-9][0-9]*)-tuple")
_TRUE = ("true", "1", "t")
_FALSE = ("false", "0", "f")


def write_value(value: Any) -> str | None:
    """Write one value as text; ``None`` stays ``None``."""
    if value is None or type(value) is str:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(float(value))
    if isinstance(value, dt.datetime):
        plain = value.tzinfo is None and not value.microsecond
        return value.isoformat(" ") if plain else value.isoformat()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return f"({';'.join(map(str, value))})"
    return str(value)


def read_value(text: str | None, dtype: str | None) -> Any:
    """Read one value from its text.

    Raises:
        ValueError: the text is not of the dtype.
    """
    if text is None:
        return None
    count = _TUPLE.fullmatch(dtype or "")
    if count:
        return _tuple(text, int(count[1]))
    # odml looks for "int" alone: what a property of dtype "INT" holds is text.
    return _READERS.get(dtype or "", str)(text)


def same(one: Any, other: Any) -> bool:
    """Whether two values are one to odML: equal and of one type, with NaN equal to itself and 0.0 not to -0.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, str):
        return one == str(other)
    return repr(one) == repr(other)


def _int(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        number = float(text)
        if not number.is_integer():
            raise
        return int(number)


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word not in _TRUE and word not in _FALSE:
        raise ValueError(f"{text!r} is neither true nor false")
    return word in _TRUE


def _date(text: str) -> dt.date:
    found = _DATE.fullmatch(text)
    if not found:
        return dt.date.fromisoformat(text.strip())
    year, month, day = map(int, found.groups())
    return dt.date(year, month, day)


def _time(text: str) -> dt.time:
    found = _TIME.fullmatch(text)
    if not found:
        return dt.time.fromisoformat(text.strip())
    hour, minute, second = map(int, found.groups())
    return dt.time(hour, minute, second)


def _datetime(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text.strip())


def _tuple(text: str, count: int) -> list[str]:
    inner = text.strip()
    if not (inner.startswith("(") and inner.endswith(")")):
        raise ValueError(f"{text!r} has no brackets")
    items = [item.strip() for item in inner[1:-1].split(";")]
    if len(items) != count:
        raise ValueError(f"{text!r} has {len(items)} parts, not {count}")
    return items


_READERS: dict[str, Callable[[str], Any]] = {
    "int": _int,
    "float": float,
    "boolean": _boolean,
    "bool": _boolean,
    "date": _date,
    "time": _time,
    "datetime": _datetime,
}
