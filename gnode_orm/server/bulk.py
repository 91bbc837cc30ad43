"""``in_bulk``: a whole HDF5 delta as one change set, all of it or nothing."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from gnode_orm.errors import ValidationFailed
from gnode_orm.ids import decode_id
from gnode_orm.server.endpoints import Call
from gnode_orm.server.files import array_columns, check_array, check_writable
from gnode_orm.server.objects import json_answer
from gnode_orm.server.problems import Refusal
from gnode_orm.server.reading import find, shown_objects
from gnode_orm.server.writing import Writer, retrying
from gnode_orm.wire import hdf5
from gnode_orm.wire.delta import DeltaObject, bare_id, read_delta, top_object
from gnode_orm.wire.kinds import default_unit, wire_kind
from gnode_orm.wire.parsing import checked_unit, no_columns

_FIELD = "raw_file"
_ONLY = "Supporting only POST multipart/form-data requests with files"


def in_bulk(call: Call) -> Response:
    """Write every object of a delta; answers with the top one, or 204 where its sender sees it no longer."""
    if not call.files:
        raise Refusal(400, _ONLY)
    file, size = next(((file, size) for name, file, size in call.files if name == _FIELD), (None, 0))
    if file is None:
        raise Refusal(400, f"The name of the field should be '{_FIELD}'")
    if file.read(len(hdf5.SIGNATURE)) != hdf5.SIGNATURE:
        raise Refusal(400, "Uploaded file is not an HDF5 file")
    with hdf5.opened(file) as content:
        objects = read_delta(content, size)
        kind, id_ = retrying(lambda: _write(call, objects))
    found = shown_objects(call.store, kind, [id_], call.user, call.base)
    # Its new place may be one that the sender cannot see.
    return json_answer(found[0]) if found else Response(status_code=204)


def only_post(call: Call) -> Response:
    """Deltas are posted."""
    raise Refusal(400, _ONLY)


def _write(call: Call, objects: list[DeltaObject]) -> tuple[str, int]:
    # The first pass stores nothing: it looks at every value, so that what is wrong anywhere leaves no array behind.
    _Delta(call, with_arrays=False).add_all(objects)
    delta = _Delta(call, with_arrays=True)
    delta.add_all(objects)
    delta.writer.apply()
    top = top_object(objects)
    return top.kind, delta.ids[top.key]


class _Delta:
    """One pass over the objects of a delta."""

    def __init__(self, call: Call, with_arrays: bool) -> None:
        self._call = call
        self._with_arrays = with_arrays
        self.writer = Writer(call.store, call.user)
        self.ids: dict[tuple[str, str], int] = {}

    def add_all(self, objects: list[DeltaObject]) -> None:
        for item in objects:
            try:
                self._add(item)
            except ValidationFailed as error:
                raise type(error)(f"{item!r}: {error}", entity=error.entity, field=error.field) from None

    def _add(self, item: DeltaObject) -> None:
        body = {key: value for key, value in item.body.items() if key.removesuffix("__unit") not in item.arrays}
        if item.is_new:
            arrays = self._arrays(item, no_columns(wire_kind(item.kind)))
            self.ids[item.key] = self.writer.create(item.kind, body, resolve=self._resolve, arrays=arrays)
            return
        before = find(self._call.store, item.kind, item.id, self._call.user)
        check_writable(self._call, item.kind, before["id"])
        self.ids[item.key] = decode_id(item.id)
        self.writer.update(item.kind, before, body, resolve=self._resolve, arrays=self._arrays(item, before))

    def _arrays(self, item: DeltaObject, before: dict[str, Any]) -> dict[str, Any]:
        wire = wire_kind(item.kind)
        columns: dict[str, Any] = {}
        for field in wire.arrays:
            if field.name not in item.arrays:
                continue
            source = item.arrays[field.name]
            text = item.body.get(f"{field.name}__unit") if field.name != "labels" else None
            unit = checked_unit(item.kind, field, text) if text else None
            if not self._with_arrays:
                check_array(wire, field, source, unit or default_unit(item.kind, field))
                continue
            changed, small = array_columns(self._call.store, wire, field, {**before, **columns}, source, unit)
            columns.update(changed)
            self.writer.changes.arrays.update(small)
        return columns

    def _resolve(self, kind: str, sent: Any, field: str) -> int:
        new = self.ids.get((kind, bare_id(kind, sent) or ""))
        return self.writer.resolve(kind, sent, field) if new is None else new
