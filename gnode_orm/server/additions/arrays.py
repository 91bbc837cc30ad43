"""Arrays on their way out: by slices, many in one request, and as extremes for drawing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
from starlette.responses import Response, StreamingResponse

from gnode_orm.core.arrayhash import bytes_of, contiguous_pieces
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import ArrayRef
from gnode_orm.core.codec import from_columns
from gnode_orm.core.overview import MAX_BINS, minimum_maximum
from gnode_orm.core.schema import SCHEMA, FieldSpec, FieldType, known_kind
from gnode_orm.core.time_index import slice_bounds
from gnode_orm.errors import NotFound, UnknownField, ValidationFailed, did_you_mean
from gnode_orm.ids import decode_id
from gnode_orm.server.additions.answering import MAX_MESSAGE, Asked, Handler, endpoint
from gnode_orm.server.context import Context
from gnode_orm.wire import frames
from gnode_orm.wire.change_sets import read_seen
from gnode_orm.wire.malformed import Malformed, content_hash, member, optional, whole
from gnode_orm.wire.slices import read_key, read_key_text

MAX_ITEMS = 100_000
# An answer of so many bytes is sent as a whole, a longer one in steps.
_WHOLE = 4 << 20
_STEP = 1 << 20
_NOT_KEPT = {"Cache-Control": "no-store"}

Array = npt.NDArray[Any]


def read_endpoint(context: Context) -> Handler:
    """Make the endpoint that reads many slices."""
    return endpoint(context, MAX_MESSAGE, _read)


def _read(asked: Asked) -> Response:
    message = asked.message()
    items = member(message, "items", list)
    if len(items) > MAX_ITEMS:
        raise Malformed(f"At most {MAX_ITEMS} slices are read at once, not {len(items)}")
    if any(type(item) is not list or len(item) != 2 for item in items):
        raise Malformed("A slice is a list of hash and index")
    wanted = [(content_hash(hash_), read_key(key)) for hash_, key in items]
    refs = _readable(asked, [hash_ for hash_, _ in wanted], message)
    return _frame(asked.store.read_arrays([(refs[hash_], key) for hash_, key in wanted]))


def _readable(asked: Asked, hashes: Sequence[bytes], message: Any) -> dict[bytes, ArrayRef]:
    """Give the arrays that the user may read, with the dtype and shape that they were stored with."""
    types = asked.store.uploads.usable(hashes, asked.user, read_seen(optional(message, "seen", dict) or {}))
    for hash_ in hashes:
        if hash_ not in types:
            raise NotFound(f"The array {hash_.hex()} is not in the lab")
    return {
        hash_: ArrayRef(hash_, dtype, tuple(map(int, shape.split(","))) if shape else (), None)
        for hash_, (dtype, shape) in types.items()
    }


def _frame(arrays: Sequence[Array]) -> Response:
    """Answer with arrays behind a message that describes them."""
    start = frames.head({"items": [[array.dtype.str, list(array.shape)] for array in arrays]})
    size = len(start) + sum(array.nbytes for array in arrays)
    if size <= _WHOLE:
        return Response(b"".join((start, *_views(arrays))), media_type=frames.CONTENT_TYPE, headers=_NOT_KEPT)
    headers = {"Content-Length": str(size), **_NOT_KEPT}
    return StreamingResponse(_steps(chain((start,), _views(arrays))), media_type=frames.CONTENT_TYPE, headers=headers)


def _steps(views: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """Copy bytes once, small ones many at once: each step takes a turn through a thread."""
    held, size = list[bytes | memoryview](), 0
    for view in views:
        if size + len(view) > 2 * _STEP:
            yield b"".join(held)
            held, size = [], 0
        held.append(view)
        size += len(view)
    yield b"".join(held)


def _views(arrays: Iterable[Array]) -> Iterator[memoryview]:
    for array in arrays:
        for piece in contiguous_pieces(array):
            view = bytes_of(piece)
            for start in range(0, len(view), _STEP):
                yield view[start : start + _STEP]


def overview_endpoint(context: Context) -> Handler:
    """Make the endpoint that gives minimum and maximum of bins along an array."""
    return endpoint(context, MAX_MESSAGE, _overview)


def _overview(asked: Asked) -> Response:
    message = asked.message()
    hash_ = content_hash(member(message, "hash", str))
    ref = _readable(asked, [hash_], message)[hash_]
    low, high, _ = _extremes(asked.store, ref, member(message, "bins", int))
    return _frame([low, high])


def _extremes(store: Any, ref: ArrayRef, bins: int) -> tuple[Array, Array, Array]:
    if not ref.shape or np.dtype(ref.dtype).kind not in "biuf":
        raise ValidationFailed(f"An array of {ref.type_text} has no minimum and maximum along time")
    if not 0 < bins <= MAX_BINS:
        raise ValidationFailed(f"{bins} points were asked for; 1 to {MAX_BINS} can be given", field="n", value=bins)
    return minimum_maximum(ArrayHandle.stored(store, ref), bins)


def field_endpoint(context: Context) -> Handler:
    """Make the endpoint that gives an array of an object: raw bytes, with dtype, shape and unit as headers."""
    return endpoint(context, 0, _field)


def _field(asked: Asked) -> Response:
    store, path, query = asked.store, asked.request.path_params, asked.request.query_params
    kind, id_ = known_kind(path["kind"]).kind, decode_id(path["id"])
    field = _array_field(kind, path["field"])
    rows = store.get(kind, [id_], asked.user, _version(query.get("at")))
    if not rows:
        raise NotFound(f"{kind}/{path['id']} does not exist")
    values = dict(zip(SCHEMA[kind].record_columns[4:], rows[0][4:], strict=True))
    if values[f"{field.name}_hash"] is None:
        raise NotFound(f"{SCHEMA[kind].class_name} {kind}/{path['id']} has no {field.name}")
    ref = ArrayRef.from_columns(values[f"{field.name}_hash"], values[f"{field.name}_type"])
    if "points" in query:
        low, high, _ = _extremes(store, ref, _count(query["points"]))
        return _raw(np.stack([low, high], axis=1), ref)
    return _raw(store.read_array(ref, _key(kind, values, ref, query)), ref)


def _array_field(kind: str, name: str) -> FieldSpec:
    field = SCHEMA[kind].by_name.get(name)
    if field is None or field.type is not FieldType.ARRAY:
        known = [item.name for item in SCHEMA[kind].arrays]
        raise UnknownField(f"{SCHEMA[kind].class_name} has no array {name!r}{did_you_mean(name, known)}", field=name)
    return field


def _key(kind: str, values: dict[str, Any], ref: ArrayRef, query: Any) -> Any:
    if "t0" not in query and "t1" not in query:
        return read_key_text(query["index"]) if "index" in query else ...
    spec = SCHEMA[kind]
    fields = [spec.by_name.get(name) for name in ("t_start", "sampling_rate")]
    times = [
        None if field is None else from_columns(field, tuple(values[name] for name in field.read_columns), None)
        for field in fields
    ]
    if None in times or not ref.shape:
        raise ValidationFailed(f"Only a signal with t_start and sampling_rate is cut by time; this {kind} has none")
    t_start, sampling_rate = times
    first, last = slice_bounds(query.get("t0"), query.get("t1"), t_start, sampling_rate, ref.shape[0])
    rest = read_key_text(query["index"]) if "index" in query else ()
    return (slice(first, last), *rest)


def _version(text: str | None) -> int | None:
    return None if text is None else _count(text)


def _count(text: str) -> int:
    try:
        return whole(int(text), "A number")
    except ValueError as error:
        raise error if isinstance(error, Malformed) else Malformed(f"{text[:80]!r} is not a number") from None


def _raw(array: Array, ref: ArrayRef) -> Response:
    headers = {
        "Content-Length": str(array.nbytes),
        **_NOT_KEPT,
        "X-Array-Dtype": array.dtype.str,
        "X-Array-Shape": ",".join(map(str, array.shape)),
        "X-Array-Hash": ref.hash.hex(),
        **({} if ref.unit is None else {"X-Array-Unit": ref.unit}),
    }
    return StreamingResponse(_steps(_views([array])), media_type="application/octet-stream", headers=headers)
