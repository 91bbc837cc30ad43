"""Short ways to write rows, change sets and queries in the tests of the stores."""

from __future__ import annotations

from typing import Any

import numpy as np
import quantities as pq

import gnode_orm.models  # noqa: F401  (fills the schema)
from gnode_orm.core import typed_json
from gnode_orm.core.arrayhash import array_hash
from gnode_orm.core.changes import ArrayRef, ChangeSet, Receipt, Update
from gnode_orm.core.quantity import to_columns
from gnode_orm.core.schema import SCHEMA, FieldType
from gnode_orm.core.select import Attr, Comparison, Node, Order, Select
from gnode_orm.ids import IdSource

IDS = IdSource()


def behind_a_server(store: Any) -> bool:
    """Whether what is sent to a store is judged by the models' validators first."""
    return hasattr(store, "served")


def new_id() -> int:
    return IDS.take(1)[0]


def columns(kind: str, **fields: Any) -> dict[str, Any]:
    """The write columns of some fields; quantities, annotations and arrays may be given as such."""
    values: dict[str, Any] = {}
    for name, value in fields.items():
        field = SCHEMA[kind].by_name[name]
        if field.type is FieldType.QUANTITY:
            given: tuple[Any, ...] = to_columns(value)
        elif field.type is FieldType.JSON and not isinstance(value, str | None):
            given = (typed_json.encode(value),)
        elif field.type is FieldType.ARRAY and value is not None:
            given = (value.hash, value.type_text)
        else:
            given = value if isinstance(value, tuple) else (value,) * len(field.write_columns)
        values.update(zip(field.write_columns, given, strict=True))
    return values


def row(kind: str, id_: int | None = None, **fields: Any) -> tuple[Any, ...]:
    """A row to create."""
    values = columns(kind, **fields)
    return (id_ or new_id(), *(values.get(name) for name in SCHEMA[kind].write_columns))


def create(store: Any, kind: str, *, by: str = "ann", arrays: dict[bytes, bytes] | None = None, **fields: Any) -> int:
    """Create one object; gives its id."""
    made = row(kind, **fields)
    receipt = store.apply(ChangeSet(creates={kind: [made]}, arrays=arrays or {}), by)
    # Some servers give ids of their own.
    return int(made[0]) if receipt.written is None else receipt.written[kind, made[0]].id


def change(store: Any, kind: str, id_: int, *, by: str = "ann", **fields: Any) -> Receipt:
    """Change one object from its current version."""
    base = version(store, kind, id_, by)
    receipt: Receipt = store.apply(ChangeSet(updates=[Update(kind, id_, base, columns(kind, **fields))]), by)
    return receipt


def version(store: Any, kind: str, id_: int, by: str = "ann") -> int:
    return int(store.get(kind, [id_], by)[0][1])


def field(kind: str, record: tuple[Any, ...], column: str) -> Any:
    return record[SCHEMA[kind].record_columns.index(column, 4)]


def where(path: str, operator: str, value: Any, *keys: str, part: str | None = None) -> Comparison:
    return Comparison(Attr(tuple(path.split(".")), keys, part), operator, value)


def found(store: Any, kind: str, condition: Node | None = None, *, by: str = "ann", **more: Any) -> list[int]:
    """The ids that a query finds, in its order; counting must agree."""
    select = Select(kind, where=condition, **more)
    ids = [record[0] for record in store.select(select, by).rows]
    if select.limit is None and not select.offset and select.after is None:
        assert store.count(select, by) == len(ids)
    return ids


def by(path: str, *keys: str, descending: bool = False) -> Order:
    return Order(Attr(tuple(path.split(".")), keys), descending)


def inline(array: Any, unit: str | None = None) -> tuple[ArrayRef, dict[bytes, bytes]]:
    """A small array as it travels inside a change set."""
    data = np.ascontiguousarray(array)
    ref = ArrayRef(array_hash(np.asarray(array)), data.dtype.str, np.shape(array), unit)
    return ref, {ref.hash: data.tobytes()}


def ms(value: float) -> Any:
    return pq.Quantity(value, "ms")
