"""Arrays as HDF5 files of their own, one address each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, Any

import numpy as np
from starlette.responses import Response, StreamingResponse

from gnode_orm.core.arrayhash import array_hash
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import ArrayRef
from gnode_orm.core.schema import FieldSpec
from gnode_orm.errors import AccessDenied, NotFound, ValidationFailed
from gnode_orm.ids import encode_id
from gnode_orm.server.endpoints import Call
from gnode_orm.server.labels import as_text
from gnode_orm.server.objects import kind_of, names_tag
from gnode_orm.server.problems import Refusal
from gnode_orm.server.reading import find
from gnode_orm.server.writing import Writer, retrying
from gnode_orm.units import unit_of
from gnode_orm.wire import hdf5
from gnode_orm.wire.kinds import WireKind, default_unit, wire_kind
from gnode_orm.wire.parsing import validated, with_waiting_units
from gnode_orm.wire.rendering import array_ref, waiting_units

_IN_MEMORY, _PIECE = 16 << 20, 1 << 20


def download(call: Call) -> Response:
    """Answer with an array as an HDF5 file, or 204 where there is none."""
    kind = kind_of(call)
    field = _field(call, kind)
    columns = find(call.store, kind, call.params["id"], call.user)
    ref = array_ref(columns, field)
    if ref is None:
        return Response(status_code=204)
    tag = ref.hash.hex()
    if names_tag(call.request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers={"ETag": f'"{tag}"'})
    # Larger files go through the disk, so that memory stays bounded.
    file = SpooledTemporaryFile[bytes](max_size=_IN_MEMORY)
    hdf5.write_file(file, ArrayHandle.stored(call.store, ref))
    file.seek(0, os.SEEK_END)
    headers = {
        "Content-Disposition": f"attachment; filename={call.params['id']}-{field.name}.h5",
        "Content-Length": str(file.tell()),
        "ETag": f'"{tag}"',
    }
    return StreamingResponse(_pieces(file), 200, headers, "application/x-hdf")


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while piece := file.read(_PIECE):
            yield piece


def upload(call: Call) -> Response:
    """Store the first dataset of an HDF5 file as an array."""
    kind = kind_of(call)
    field = _field(call, kind)
    check_writable(call, kind, find(call.store, kind, call.params["id"], call.user)["id"])
    if not call.files:
        return Response(status_code=204)
    _, file, size = call.files[0]
    if size == 0:
        raise ValidationFailed("The file is empty", field=field.name)
    with hdf5.opened(file) as content:
        source = hdf5.first_dataset(content, size)

        def write() -> None:
            columns = find(call.store, kind, call.params["id"], call.user)
            writer = Writer(call.store, call.user)
            changed, small = array_columns(call.store, wire_kind(kind), field, columns, source)
            writer.changes.arrays.update(small)
            writer.set_columns(kind, columns, changed)
            writer.apply()

        retrying(write)
    return Response("File content updated successfully", 202, media_type="text/html")


def array_columns(
    store: Any, wire: WireKind, field: FieldSpec, columns: dict[str, Any], source: Any, unit: str | None = None
) -> tuple[dict[str, Any], dict[bytes, bytes]]:
    """Store an array; gives the columns that name it, and its bytes where it is small."""
    source = as_text(source) if field.name == "labels" else source
    waiting = waiting_units(columns)
    known = array_ref(columns, field)
    unit = unit or waiting.get(field.name) or (known.unit if known is not None else _first_unit(wire, field))
    check_array(wire, field, source, unit)
    ref, small = store_source(store, source, unit)
    changed: dict[str, Any] = {f"{field.name}_hash": ref.hash, f"{field.name}_type": ref.type_text}
    if waiting.pop(field.name, None) is not None:
        changed["ext"] = with_waiting_units(columns, waiting)
    return changed, small


def check_array(wire: WireKind, field: FieldSpec, source: Any, unit: str | None) -> None:
    """Put dtype, shape and unit through the field's own validator, without reading the data."""
    # Shape and dtype are all that the validator looks at, so one number stands for the whole array.
    stand_in = np.broadcast_to(np.zeros((), source.dtype), source.shape)
    validated(wire.spec.kind, field, ArrayHandle.in_memory(stand_in, None if unit is None else unit_of(unit)))


def store_source(store: Any, source: Any, unit: str | None) -> tuple[ArrayRef, dict[bytes, bytes]]:
    """Store a large array at once; give a small one to travel inside the change set."""
    if source.nbytes > store.inline_limit:
        return store.put_arrays([(source, unit)])[0], {}
    array = np.empty(source.shape, source.dtype)
    start = 0
    for piece in source.chunks():
        if not source.shape:
            array[()] = piece
            break
        array[start : start + len(piece)] = piece
        start += len(piece)
    ref = ArrayRef(array_hash(array), array.dtype.str, array.shape, unit)
    return ref, {ref.hash: array.tobytes()}


def not_allowed(call: Call) -> Response:
    """Files are read and written whole."""
    raise Refusal(405, "Use GET or POST to manage files", headers={"Allow": "GET, POST"})


def check_writable(call: Call, kind: str, id_: int) -> None:
    """Refuse a change before anything large is stored for it.

    Raises:
        AccessDenied: the object can be read only.
    """
    if not call.store.may_write(kind, id_, call.user):
        raise AccessDenied(f"The {kind} {encode_id(id_)} can be read but not changed by {call.user}")


def _first_unit(wire: WireKind, field: FieldSpec) -> str | None:
    return None if field.name == "waveforms" else default_unit(wire.spec.kind, field)


def _field(call: Call, kind: str) -> FieldSpec:
    name = call.params["attr"]
    wire = wire_kind(kind)
    for field in wire.arrays:
        if field.name == name:
            return field
    if not wire.arrays:
        raise NotFound(f"A {kind} has no data files")
    known = {item.name for item in (*wire.plain, *wire.quantities, *wire.refs)}
    raise Refusal(400, f"Attribute {name} is not a data-field" if name in known else f"Attribute {name} does not exist")
