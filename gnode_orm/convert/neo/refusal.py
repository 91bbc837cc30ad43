"""Refusals that name the path to the object, such as ``block.segments[3].spiketrains[1].times``."""

from __future__ import annotations

import re
from typing import Any

from gnode_orm.errors import ValidationFailed

_ENTRIES = {"exact", "view", "imagesequence"}


def refuse(path: str, reason: str, *, field: str | None = None, value: Any = None) -> ValidationFailed:
    """Make the error for what has no exact counterpart."""
    place = f"{path}.{field}" if field else path
    return ValidationFailed(f"{place}: {reason}", field=field, value=value, errors=[(place, reason)])


def at_path(path: str, error: ValidationFailed) -> ValidationFailed:
    """Make the same error with the path of the object in front of each field."""
    pairs = [(_joined(path, field, message), message) for field, message in error.errors]
    if not pairs:
        return type(error)(f"{path}: {error}", entity=error.entity, value=error.value)
    text = "; ".join(f"{place}: {_bare(message, error)}" for place, message in pairs)
    return type(error)(text, entity=error.entity, field=error.field, value=error.value, errors=pairs)


def in_extension(path: str, error: ValidationFailed) -> ValidationFailed:
    """Make the error for a value that was to stand in ``ext``, named as neo names it."""
    place, _, reason = str(error).partition("]: ")
    names = re.findall(r"\['([^']*)'", place)
    name = next((name for name in names if name not in _ENTRIES), "ext")
    return refuse(path, reason or str(error), field=name, value=error.value)


def _joined(path: str, field: str, message: str) -> str:
    key, found, _ = message.partition("]: ")
    # Annotations name their own place first: "['key'][2]: a set cannot be kept".
    return f"{path}.{field}{key}]" if found and message.startswith("[") else f"{path}.{field}"


def _bare(message: str, error: ValidationFailed) -> str:
    if message.startswith("["):
        return message.partition("]: ")[2] or message
    return message.removeprefix(f"{error.entity}.{error.field}: ")
