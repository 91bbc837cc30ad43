"""Requests of API v1 and of the additions that a user writes himself, and what they must be answered."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

from gnode_orm.core.changes import ArrayRef, ChangeSet, Update
from gnode_orm.ids import encode_id
from gnode_orm.wire import frames
from gnode_orm.wire.change_sets import pack
from tests.stores.rights_world import Place, Told, Tree
from tests.stores.rows import columns, create, inline, row, version

V1 = "/api/v1"
BULK = f"{V1}/in_bulk/"
ADDITIONS = f"{V1}/additions"


def ask_v1(told: Told, tree: Tree) -> None:
    """Addresses answer 404 or nothing to whom an object does not exist, and 403 to changes of who may only read."""
    for kind, id_, place in tree.objects:
        status = 200 if place.readable(told.user) else 404
        assert told.asks("GET", address(kind, id_)) == status
        told.asks("GET", f"{address(kind)}?name__startswith={tree.secret}")
        assert told.asks("GET", f"{address(kind)}set/{encode_id(id_)}/") == status
        if not place.writable(told.user):
            for method in ("PUT", "PATCH", "DELETE"):
                assert told.asks(method, address(kind, id_), json={"name": "mine"}) == refused(told, place)
    told.asks("GET", f"{address('analogsignal')}?segment__block__name__startswith={tree.secret}")
    for method in ("GET", "PUT"):
        if told.user != tree.owner:
            assert told.asks(method, address("block", tree.block) + "acl/", json=[]) == refused(told, tree.home)


def exchange_files(told: Told, tree: Tree) -> None:
    """Arrays go down as files to who may read their objects, and up from who may write them."""
    file = address("analogsignal", tree.signal) + "signal/"
    assert told.asks("GET", file) == (200 if tree.place.readable(told.user) else 404)
    if tree.place.writable(told.user):
        return
    values = hdf5({"arraydata": np.zeros(3)})
    assert told.asks("POST", file, files=values) == refused(told, tree.place)
    assert told.asks("PUT", file, files=values) == 405


def send_deltas(told: Told, tree: Tree) -> None:
    """A delta changes what its sender may write, adds below it, names what he may read, and is all or nothing."""
    own = ("block", "TEMP1", {"name": "own"})
    assert told.asks("POST", BULK, files=delta(own)) == 200
    for kind, id_, place in tree.objects:
        if not place.writable(told.user):
            arrays = {"signal": np.arange(5.0)} if kind == "analogsignal" else {}
            changed = (kind, encode_id(id_), {"name": "by delta"})
            assert told.asks("POST", BULK, files=delta(own, changed, **arrays)) == refused(told, place)
    for kind, parent, id_, place in (
        ("segment", "block", tree.block, tree.home),
        ("analogsignal", "segment", tree.segment, tree.place),
        ("section", "section", tree.section, tree.home),
    ):
        child = (kind, "TEMP2", {"name": "child", parent: address(parent, id_)})
        expected = 200 if place.writable(told.user) else 403 if place.readable(told.user) else 400
        assert told.asks("POST", BULK, files=delta(own, child)) == expected
    named = ("block", "TEMP1", {"name": "own", "metadata": address("section", tree.section)})
    assert told.asks("POST", BULK, files=delta(named)) == (200 if tree.home.readable(told.user) else 400)


def name_arrays(told: Told, tree: Tree) -> None:
    """A bare hash is taken from who may read the array, wherever he says that he has seen it."""
    here = tree.place.readable(told.user)
    own = create(told.store, "analogsignal", by=told.user, name="own")
    for place in (None, ("analogsignal", tree.signal), ("analogsignal", own)):
        seen = {} if place is None else {tree.array.hash: place}
        for changes in _naming(told, tree, own):
            assert told.asks("POST", f"{ADDITIONS}/changes", data=pack(changes, seen)) == (200 if here else 409)
        hash_ = tree.array.hash.hex()
        said = {"seen": {} if place is None else {hash_: list(place)}}
        for path, message in (("read", {"items": [[hash_, ["..."]]]}), ("overview", {"hash": hash_, "bins": 2})):
            status = told.asks("POST", f"{ADDITIONS}/arrays/{path}", json={**message, **said})
            assert status == (200 if here else 404)
        assert told.asks("POST", f"{ADDITIONS}/arrays/extend", data=_longer(tree.array, said)) == (200 if here else 409)


def _naming(told: Told, tree: Tree, own: int) -> Iterator[ChangeSet]:
    yield ChangeSet(creates={"analogsignal": [row("analogsignal", name="mine", signal=tree.array)]})
    base = version(told.store, "analogsignal", own, told.user)
    yield ChangeSet(updates=[Update("analogsignal", own, base, columns("analogsignal", signal=tree.array))])


def _longer(base: ArrayRef, said: dict[str, Any]) -> bytes:
    """The message that asks for an array with so many more rows that it is large."""
    rows, small = inline(np.zeros(8_192))
    described = [[ref.hash, ref.dtype, ref.shape] for ref in (base, rows)]
    return frames.pack({"items": [[*described, True]], **said}, small.values())


def read_fields(told: Told, tree: Tree) -> None:
    """Arrays by field, cut, thinned and of the past, are for who may read their object now."""
    field = f"{ADDITIONS}/arrays/analogsignal/{encode_id(tree.signal)}/signal"
    latest = tree.versions[-1][0]
    for part in ("", "?index=0:2", "?points=2", f"?at={latest}"):
        assert told.asks("GET", field + part) == (200 if tree.place.readable(told.user) else 404)


def refused(told: Told, place: Place) -> int:
    return 403 if place.readable(told.user) else 404


def address(kind: str, id_: int | None = None) -> str:
    namespace = "metadata" if kind in ("document", "section") else "electrophysiology"
    return f"{V1}/{namespace}/{kind}/" + ("" if id_ is None else f"{encode_id(id_)}/")


def delta(*objects: tuple[str, str, Any], **arrays: Any) -> dict[str, Any]:
    """The upload of a delta; the arrays belong to its last object."""
    content: dict[str, Any] = {}
    name = ""
    for kind, id_, body in objects:
        name = f"{address(kind)}{id_}/".replace("/", "-")
        content[f"{name}/json"] = json.dumps(body)
    content.update({f"{name}/{field}": values for field, values in arrays.items()})
    return hdf5(content)


def hdf5(content: dict[str, Any]) -> dict[str, Any]:
    """The upload of an HDF5 file with some datasets."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as root:
        for name, value in content.items():
            text = {"dtype": h5py.string_dtype("ascii")} if isinstance(value, str) else {}
            root.create_dataset(name, data=value, **text)
    return {"raw_file": ("raw_file", buffer.getvalue())}
