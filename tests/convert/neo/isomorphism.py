"""Whether two graphs of neo objects are the same: classes, order, sharing, bytes, units with scale, annotations."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import neo
import numpy as np
import quantities as pq

ATTRIBUTES: dict[type, tuple[str, ...]] = {
    neo.Block: ("file_datetime", "rec_datetime", "index"),
    neo.Segment: ("file_datetime", "rec_datetime", "index", "block"),
    neo.Group: ("allowed_types", "block"),
    neo.AnalogSignal: ("_t_start", "_sampling_rate", "array_annotations", "segment"),
    neo.IrregularlySampledSignal: ("times", "array_annotations", "segment"),
    neo.SpikeTrain: (
        "t_start",
        "t_stop",
        "waveforms",
        "left_sweep",
        "sampling_rate",
        "array_annotations",
        "segment",
        "unit",
    ),
    neo.Event: ("_labels", "array_annotations", "segment"),
    neo.Epoch: ("_labels", "_durations", "array_annotations", "segment"),
    neo.ImageSequence: ("_t_start", "sampling_rate", "spatial_scale", "array_annotations", "segment"),
    neo.ChannelView: ("obj", "index", "array_annotations"),
    neo.CircularRegionOfInterest: ("image_sequence", "x", "y", "radius"),
    neo.RectangularRegionOfInterest: ("image_sequence", "x", "y", "width", "height"),
    neo.PolygonRegionOfInterest: ("image_sequence", "vertices"),
}
LISTS = {
    neo.Block: ("segments", "groups"),
    neo.Segment: ("analogsignals", "irregularlysampledsignals", "spiketrains", "events", "epochs", "imagesequences"),
    neo.Group: (
        "analogsignals",
        "irregularlysampledsignals",
        "spiketrains",
        "events",
        "epochs",
        "imagesequences",
        "channelviews",
        "regionsofinterest",
        "groups",
    ),
}


def differences(first: Any, second: Any, *, but: str = "") -> list[str]:
    """Where two graphs differ, as ``path: what``; empty for isomorphic ones. ``but`` names a text to be left out."""
    there: dict[int, Any] = {}
    back: dict[int, Any] = {}
    found: list[str] = []
    pairs = [(first, second, type(first).__name__)]
    while pairs:
        a, b, path = pairs.pop()
        if id(a) in there or id(b) in back:
            if there.get(id(a)) is not b or back.get(id(b)) is not a:
                found.append(f"{path}: shared differently")
            continue
        there[id(a)], back[id(b)] = b, a
        if type(a) is not type(b):
            found.append(f"{path}: {type(a)} != {type(b)}")
            continue
        found += [f"{path}{text}" for text in _own_differences(a, b, pairs, path, but)]
    return found


def assert_isomorphic(first: Any, second: Any) -> None:
    assert differences(first, second) == []


def _own_differences(a: Any, b: Any, pairs: list[Any], path: str, but: str) -> Iterator[str]:
    for name in ("name", "description", "file_origin"):
        if name != but and _text(getattr(a, name)) != _text(getattr(b, name)):
            yield f".{name}: {getattr(a, name)!r} != {getattr(b, name)!r}"
    yield from _value_differences(a.annotations, b.annotations, ".annotations")
    if isinstance(a, np.ndarray):
        yield from _array_differences(a, b, "")
    for name in ATTRIBUTES[type(a)]:
        one, other = getattr(a, name), getattr(b, name)
        if type(one) in ATTRIBUTES and type(other) in ATTRIBUTES:
            pairs.append((one, other, f"{path}.{name}"))
        else:
            yield from _value_differences(one, other, f".{name}")
    for name in LISTS.get(type(a), ()):
        mine, theirs = list(getattr(a, name)), list(getattr(b, name))
        if len(mine) != len(theirs):
            yield f".{name}: {len(mine)} != {len(theirs)} members"
        pairs += [(one, other, f"{path}.{name}[{n}]") for n, (one, other) in enumerate(zip(mine, theirs, strict=False))]


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, np.str_) else value


def _value_differences(a: Any, b: Any, path: str) -> Iterator[str]:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        # A unit and one of that unit are the same quantity.
        plain_types = {pq.Quantity if isinstance(item, pq.UnitQuantity) else type(item) for item in (a, b)}
        if len(plain_types) != 1:
            yield f"{path}: {type(a)} != {type(b)}"
        yield from _array_differences(a, b, path)
    elif type(a) is not type(b):
        yield f"{path}: {type(a)} {a!r} != {type(b)} {b!r}"
    elif isinstance(a, dict):
        if list(a) != list(b):
            yield f"{path}: keys {list(a)} != {list(b)}"
        for key in a.keys() & b.keys():
            yield from _value_differences(a[key], b[key], f"{path}[{key!r}]")
    elif isinstance(a, list | tuple):
        if len(a) != len(b):
            yield f"{path}: {len(a)} != {len(b)} items"
        for place, (one, other) in enumerate(zip(a, b, strict=False)):
            yield from _value_differences(one, other, f"{path}[{place}]")
    elif not _same_scalar(a, b):
        yield f"{path}: {a!r} != {b!r}"


def _same_scalar(a: Any, b: Any) -> bool:
    if isinstance(a, float):
        return (a == b and math.copysign(1, a) == math.copysign(1, b)) or (a != a and b != b)
    if isinstance(a, complex):
        return _same_scalar(a.real, b.real) and _same_scalar(a.imag, b.imag)
    if isinstance(a, np.generic):
        return a.dtype == b.dtype and a.tobytes() == b.tobytes()
    if isinstance(a, Decimal):
        return a.as_tuple() == b.as_tuple()
    same = a == b
    return (bool(same) and getattr(a, "tzinfo", None) is None) or (same and a.utcoffset() == b.utcoffset())


def _array_differences(a: Any, b: Any, path: str) -> Iterator[str]:
    if (a.dtype.str, a.shape) != (b.dtype.str, b.shape):
        yield f"{path}: {a.dtype.str} {a.shape} != {b.dtype.str} {b.shape}"
    elif a.dtype == object:
        yield from _value_differences(np.asarray(a).tolist(), np.asarray(b).tolist(), path)
    elif np.ascontiguousarray(a).tobytes() != np.ascontiguousarray(b).tobytes():
        yield f"{path}: other bytes"
    if isinstance(a, pq.Quantity) and isinstance(b, pq.Quantity) and _scale(a) != _scale(b):
        yield f"{path}: unit {a.dimensionality} != {b.dimensionality}"


def _scale(quantity: Any) -> tuple[float, str]:
    one = pq.Quantity(1.0, quantity.dimensionality).simplified
    return float(one.magnitude), one.dimensionality.string
