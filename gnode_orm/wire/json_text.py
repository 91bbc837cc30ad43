"""JSON as API v1 writes it: sorted keys, and NaN and infinity as bare words, which its clients read."""

from __future__ import annotations

import json
import math
from typing import Any

import orjson

from gnode_orm.errors import ValidationFailed


def dumps(value: Any) -> bytes:
    """Write a value."""
    if _has_odd_number(value):
        return json.dumps(value, sort_keys=True, ensure_ascii=False).encode()
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def loads(text: bytes) -> Any:
    """Read a value; ``NaN`` and ``Infinity`` are accepted.

    Raises:
        ValidationFailed: the text is not JSON.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return _lenient(text)


def _lenient(text: bytes) -> Any:
    try:
        return json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValidationFailed(f"The body is not JSON in UTF-8 ({error})") from None


def _has_odd_number(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, dict):
        return any(map(_has_odd_number, value.values()))
    return isinstance(value, list) and any(map(_has_odd_number, value))
