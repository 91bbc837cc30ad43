"""Values as text for people."""

from __future__ import annotations

from datetime import datetime
from typing import Any

_LENGTH = 60


def short(location: Any) -> str:
    """Give the form of a location that is easily copied, such as ``block/2DFA548ESC``."""
    return f"{location.kind}/{location.id}"


def text_of(value: Any, *, length: int = _LENGTH) -> str:
    """Show the value of a field in a few words; nothing for ``None``."""
    from gnode_orm.core.arrays import ArrayHandle
    from gnode_orm.location import Location

    if value is None:
        return ""
    if isinstance(value, Location):
        return short(value)
    if isinstance(value, ArrayHandle):
        return _array(value)
    if hasattr(value, "dimensionality"):
        return _quantity(value)
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, list | tuple):
        return _shortened(", ".join(text_of(item) for item in value), length)
    return _shortened(" ".join(str(value).split()), length)


def moment(time: datetime) -> str:
    """Show when a commit was, by the clock here."""
    return f"{time.astimezone():%Y-%m-%d %H:%M:%S}"


def name_of(entity: Any) -> str:
    """Give what people call an object: its name, label, data or author."""
    for field in ("name", "label", "data", "author"):
        if field in type(entity).__spec__.by_name:
            value = getattr(entity, field)
            if value:
                return " ".join(str(value).split())
    return ""


def counted(count: int, noun: str) -> str:
    """Give ``1 block``, ``2 blocks``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _array(handle: Any) -> str:
    shape = " × ".join(f"{length:,}" for length in handle.shape) or "1"
    if handle.dtype.kind in "US":
        return f"{shape} labels"
    return f"{shape} in {handle.unit}" if handle.unit else shape


def _quantity(value: Any) -> str:
    unit = value.dimensionality.string
    if value.size != 1:
        return f"{value.size:,} values in {unit}"
    return f"{value.magnitude.reshape(-1)[0]:.10g} {unit}"


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
