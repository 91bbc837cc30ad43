"""Annotation values as JSON text that keeps every type and the order of keys.

Strings, booleans, null, finite floats, 64-bit integers, lists and dictionaries are plain JSON. Everything else is an
object with the key ``"$"`` that names its type, so that a store can compare it in SQL:

    ========================  ==========================================================================
    quantity, 0-d             ``{"$": "q", "v": 45.0, "u": "deg", "si": 0.785..., "d": "dimensionless"}``
    quantity array            ``{"$": "qa", "u": "mV", "t": "<f8", "s": [3], "b": base64}``
    NaN, infinity             ``{"$": "f", "v": "nan"}``
    integers beyond 64 bits   ``{"$": "i", "v": "123..."}``
    datetime, date            ``{"$": "datetime", "v": "2014-03-21T10:00:00", "us": microseconds since 1970}``
    time                      ``{"$": "time", "v": "10:00:00"}``
    timedelta                 ``{"$": "timedelta", "v": [days, seconds, microseconds]}``
    NumPy scalar              ``{"$": "np", "t": "<f4", "v": 1.5}``, with ``"b"`` where ``v`` cannot say it
    NumPy array               ``{"$": "array", "t": "<i2", "s": [2, 3], "b": base64}``
    object array              ``{"$": "objects", "s": [2], "v": [...]}``
    tuple, complex            ``{"$": "tuple", "v": [...]}``, ``{"$": "complex", "v": ["1.0", "-0.0"]}``
    bytes, Decimal            ``{"$": "bytes", "v": base64}``, ``{"$": "decimal", "v": "0.10"}``
    dict with a key "$..."    the key gets one more ``$`` in front
    ========================  ==========================================================================

A datetime or time of a ``zoneinfo.ZoneInfo`` has the name of its zone in ``"z"``, and the second of two equal times on
a clock that was turned back has ``"f": 1``.
"""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import orjson
import quantities as pq

from gnode_orm.core.instants import microseconds
from gnode_orm.core.quantity import si_value
from gnode_orm.errors import UnitError, ValidationFailed
from gnode_orm.units import unit_of, unit_of_quantity

_INT64 = range(-(2**63), 2**63)
_MAX_DEPTH = 200
_KINDS = "biufcSUMm"  # NumPy's booleans, numbers, bytes, text, dates and time spans


def encode(value: Any) -> str:
    """Write a value as JSON text.

    Raises:
        ValidationFailed: a value of a type that cannot be kept; the message gives its path.
    """
    return orjson.dumps(_plain(value, "", 0)).decode()


def decode(text: str) -> Any:
    """Read a value back, types and key order included."""
    return _value(orjson.loads(text))


def _plain(value: Any, path: str, depth: int) -> Any:
    encoder = _ENCODERS.get(type(value))
    if encoder is not None:
        return encoder(value, path, depth)
    for base in (dict, list, str, np.generic, pq.Quantity, np.ndarray, tuple, Mapping, int, float):
        if isinstance(value, base):
            return _ENCODERS[base](value, path, depth)
    raise ValidationFailed(
        f"{path or 'value'}: {value!r} is of type {type(value).__name__}, which cannot be kept; use text, "
        "numbers, dates, quantities, arrays, or lists and dictionaries of these",
        field=path,
        value=value,
    )


def _text(value: str, path: str, depth: int) -> str:
    text = str(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValidationFailed(
            f"{path or 'value'}: {text!r} holds a lone surrogate, which is not text", field=path, value=value
        ) from None
    return text


def _dict(value: Mapping[Any, Any], path: str, depth: int) -> dict[str, Any]:
    if depth > _MAX_DEPTH:
        raise ValidationFailed(f"{path[:80]}...: nested more than {_MAX_DEPTH} levels deep", field=path[:80])
    out = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise ValidationFailed(f"{path or 'annotations'}: the key {key!r} is not text", field=path, value=key)
        name = _text(key, path, depth)
        out["$" + name if name.startswith("$") else name] = _plain(item, f"{path}[{name!r}]", depth + 1)
    return out


def _list(value: Any, path: str, depth: int) -> list[Any]:
    if depth > _MAX_DEPTH:
        raise ValidationFailed(f"{path[:80]}...: nested more than {_MAX_DEPTH} levels deep", field=path[:80])
    return [_plain(item, f"{path}[{number}]", depth + 1) for number, item in enumerate(value)]


def _int(value: int, path: str, depth: int) -> Any:
    value = int(value)  # a range is searched one by one for a number of a class below int, such as an IntEnum
    if value in _INT64:
        return value
    try:
        return {"$": "i", "v": str(value)}
    except ValueError:  # Python limits the conversion, which takes quadratic time
        raise ValidationFailed(f"{path or 'value'}: an integer of {value.bit_length()} bits is too long") from None


def _float(value: float, path: str, depth: int) -> Any:
    return float(value) if math.isfinite(value) else {"$": "f", "v": repr(float(value))}


def _numpy_scalar(value: np.generic, path: str, depth: int) -> dict[str, Any]:
    kind = value.dtype.kind
    if value.dtype.names or kind not in _KINDS:
        raise ValidationFailed(f"{path or 'value'}: a {value.dtype} cannot be kept", field=path, value=value)
    item = value.item()
    tagged: dict[str, Any] = {"$": "np", "t": value.dtype.str}
    if kind == "U":
        return {**tagged, "v": _text(item, path, depth)}
    if kind == "b" or (kind in "iu" and item in _INT64):
        return {**tagged, "v": item}
    if kind == "f" and value.dtype.itemsize <= 8 and math.isfinite(item):
        return {**tagged, "v": item}
    # NumPy's scalar bytes are Python's; as an array they would be padded or cut.
    data = bytes(value) if isinstance(value, np.bytes_) else value.tobytes()
    return {**tagged, "v": None, "b": b64encode(data).decode()}


def _array(value: np.ndarray[Any, Any], path: str, depth: int) -> dict[str, Any]:
    if isinstance(value, np.ma.MaskedArray):
        raise ValidationFailed(f"{path or 'value'}: a masked array would lose its mask", field=path, value=value)
    if value.dtype == object:
        return {"$": "objects", "s": list(value.shape), "v": _list(list(value.flat), path, depth + 1)}
    if value.dtype.names or value.dtype.kind not in _KINDS:
        raise ValidationFailed(
            f"{path or 'value'}: an array of dtype {value.dtype} cannot be kept", field=path, value=value
        )
    return {"$": "array", "t": value.dtype.str, "s": list(value.shape), "b": _base64(value)}


def _quantity(value: Any, path: str, depth: int) -> dict[str, Any]:
    if isinstance(value, pq.UncertainQuantity):
        raise ValidationFailed(
            f"{path or 'value'}: {value!r} would lose its uncertainty; keep value and uncertainty as two quantities",
            field=path,
            value=value,
        )
    try:
        unit = unit_of_quantity(value)
    except UnitError as error:
        raise ValidationFailed(f"{path or 'value'}: {error}", field=path, value=value) from None
    magnitude = np.asarray(value.magnitude)
    if magnitude.ndim or magnitude.dtype.kind not in "iuf":
        return {
            "$": "qa",
            "u": unit.text,
            "t": magnitude.dtype.str,
            "s": list(magnitude.shape),
            "b": _base64(magnitude),
        }
    number: Any = magnitude[()]
    scalar = _numpy_scalar(number, path, depth)
    out = {"$": "q", "v": scalar["v"], "u": unit.text, "si": None, "d": unit.dimension}
    if magnitude.dtype != np.float64 or "b" in scalar:
        out["t"] = magnitude.dtype.str
        # The bytes of the array: a scalar taken out of it has the byte order of the machine.
        out.update({"b": _base64(magnitude)} if "b" in scalar else {})
    out["si"] = si_value(float(number), unit) if math.isfinite(number) else None
    return out


def _base64(array: np.ndarray[Any, Any]) -> str:
    return b64encode(np.ascontiguousarray(array).tobytes()).decode()


def _datetime(value: datetime, path: str, depth: int) -> dict[str, Any]:
    return {"$": "datetime", "v": value.isoformat(), "us": microseconds(value), **_zone(value)}


def _date(value: date, path: str, depth: int) -> dict[str, Any]:
    return {"$": "date", "v": value.isoformat(), "us": microseconds(datetime(value.year, value.month, value.day))}  # noqa: DTZ001


def _time(value: time, path: str, depth: int) -> dict[str, Any]:
    return {"$": "time", "v": value.isoformat(), **_zone(value)}


def _zone(value: datetime | time) -> dict[str, Any]:
    """Give what the text of a time does not say: the name of its zone, and which of two equal times it is."""
    name = getattr(value.tzinfo, "key", None)
    return {**({"z": name} if isinstance(name, str) else {}), **({"f": 1} if value.fold else {})}


def _tagged(tag: str, write: Callable[[Any], Any]) -> Callable[[Any, str, int], dict[str, Any]]:
    return lambda value, path, depth: {"$": tag, "v": write(value)}


_ENCODERS: dict[type, Callable[[Any, str, int], Any]] = {
    type(None): lambda value, path, depth: None,
    bool: lambda value, path, depth: value,
    str: _text,
    int: _int,
    float: _float,
    dict: _dict,
    Mapping: _dict,
    list: _list,
    tuple: lambda value, path, depth: {"$": "tuple", "v": _list(value, path, depth + 1)},
    complex: _tagged("complex", lambda value: [repr(value.real), repr(value.imag)]),
    bytes: _tagged("bytes", lambda value: b64encode(value).decode()),
    datetime: _datetime,
    date: _date,
    time: _time,
    timedelta: _tagged("timedelta", lambda value: [value.days, value.seconds, value.microseconds]),
    Decimal: _tagged("decimal", str),
    np.generic: _numpy_scalar,
    np.str_: _numpy_scalar,
    np.float64: _numpy_scalar,
    np.ndarray: _array,
    pq.Quantity: _quantity,
}


def _value(plain: Any) -> Any:
    if isinstance(plain, dict):
        tag = plain.get("$")
        if tag is not None:
            return _DECODERS[tag](plain)
        return {key[1:] if key.startswith("$") else key: _value(item) for key, item in plain.items()}
    if isinstance(plain, list):
        return [_value(item) for item in plain]
    return plain


def _from_bytes(plain: dict[str, Any]) -> np.ndarray[Any, Any]:
    array = np.frombuffer(b64decode(plain["b"]), dtype=plain["t"])
    return array.reshape(plain.get("s", ()))


def _numpy_scalar_value(plain: dict[str, Any]) -> Any:
    dtype = np.dtype(plain["t"])
    if "b" not in plain:
        return np.str_(plain["v"]) if dtype.kind == "U" else dtype.type(plain["v"])
    if dtype.kind == "S":
        return np.bytes_(b64decode(plain["b"]))
    return _from_bytes(plain)[()]


def _quantity_value(plain: dict[str, Any]) -> Any:
    if "b" in plain:
        magnitude = _from_bytes(plain)
    else:
        magnitude = np.array(plain["v"], dtype=plain.get("t", "<f8"))
    return pq.Quantity(magnitude, unit_of(plain["u"]).dimensionality)


def _in_zone(moment: Any, plain: dict[str, Any]) -> Any:
    """Put a time into its zone by name; where this machine does not know the zone, the offset stays."""
    if "z" in plain:
        with suppress(ZoneInfoNotFoundError, ValueError):
            moment = moment.replace(tzinfo=ZoneInfo(plain["z"]))
    return moment.replace(fold=1) if "f" in plain else moment


def _object_array(plain: dict[str, Any]) -> np.ndarray[Any, Any]:
    array = np.empty(len(plain["v"]), dtype=object)
    for place, item in enumerate(plain["v"]):
        array[place] = _value(item)  # one by one: NumPy would take items of equal length for another axis
    return array.reshape(plain["s"])


_DECODERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "q": _quantity_value,
    "qa": _quantity_value,
    "f": lambda plain: float(plain["v"]),
    "i": lambda plain: int(plain["v"]),
    "datetime": lambda plain: _in_zone(datetime.fromisoformat(plain["v"]), plain),
    "date": lambda plain: date.fromisoformat(plain["v"]),
    "time": lambda plain: _in_zone(time.fromisoformat(plain["v"]), plain),
    "timedelta": lambda plain: timedelta(*plain["v"]),
    "np": _numpy_scalar_value,
    "array": lambda plain: _from_bytes(plain),
    "objects": _object_array,
    "tuple": lambda plain: tuple(_value(item) for item in plain["v"]),
    "complex": lambda plain: complex(float(plain["v"][0]), float(plain["v"][1])),
    "bytes": lambda plain: b64decode(plain["v"]),
    "decimal": lambda plain: Decimal(plain["v"]),
}
