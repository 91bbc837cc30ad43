"""Reading many slices at once."""

from __future__ import annotations

from typing import Any

from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.quantity import with_unit
from gnode_orm.core.time_index import slice_bounds
from gnode_orm.errors import ValidationFailed
from gnode_orm.models.signals import RegularSignal, covering, within
from gnode_orm.stores.protocol import Store


def load_arrays(store: Store, objs: list[Any], t0: Any, t1: Any, channels: Any) -> list[Any]:
    """Read the main array of each object (``signal`` or ``times``), or the same stretch of time of each signal.

    Raw samples with a gain come as physical values.

    Raises:
        ValidationFailed: an object without samples, or a stretch asked of something that is no regular signal.
    """
    handles = [_main_array(obj) for obj in objs]
    parts = [_part(obj, t0, t1, channels) for obj in objs]
    stored = [(n, handle.ref) for n, handle in enumerate(handles) if handle.ref is not None and handle._reader is store]
    answers = store.read_arrays([(ref, parts[n][0]) for n, ref in stored])
    read = dict(zip((n for n, _ in stored), answers, strict=True))
    values = [_measured(handle, read[n]) if n in read else handle[parts[n][0]] for n, handle in enumerate(handles)]
    cut = [value if picked is None else value[:, picked] for value, (_, picked) in zip(values, parts, strict=True)]
    return [_physical(obj, value, channels) for obj, value in zip(objs, cut, strict=True)]


def _main_array(obj: Any) -> ArrayHandle:
    handle = getattr(obj, "signal", None) if hasattr(type(obj), "_samples") else getattr(obj, "times", None)
    if not isinstance(handle, ArrayHandle):
        raise ValidationFailed(f"{obj!r} has no array to load", value=obj)
    return handle


def _part(obj: Any, t0: Any, t1: Any, channels: Any) -> tuple[Any, list[int] | None]:
    """What to read of an object's array, and which columns of that are wanted."""
    if t0 is None and t1 is None and channels is None:
        return ..., None
    if not isinstance(obj, RegularSignal):
        raise ValidationFailed(f"{obj!r} is no regularly sampled signal, so it has no stretch to load", value=obj)
    first, last = slice_bounds(t0, t1, obj._begin(), obj._rate(), obj.shape[0])
    picked = obj._picked(channels)
    if picked is None or len(obj.shape) == 1:
        return slice(first, last), None
    return (slice(first, last), covering(picked)), within(picked)


def _physical(obj: Any, values: Any, channels: Any) -> Any:
    if not isinstance(obj, RegularSignal):
        return values
    return obj._scaled(values, obj._picked(channels) if len(obj.shape) > 1 else None)


def _measured(handle: ArrayHandle, values: Any) -> Any:
    return values if handle._unit is None else with_unit(values, handle._unit)
