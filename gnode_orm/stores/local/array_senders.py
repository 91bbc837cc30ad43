"""Who may name which array: whoever sent it, or may read an object that has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

import sqlalchemy as sa

from gnode_orm.core.schema import SCHEMA
from gnode_orm.stores.local.database import Compiler, Transaction
from gnode_orm.stores.local.elements import in_ids
from gnode_orm.stores.local.hash_sets import HASH_SET, bound_hashes
from gnode_orm.stores.local.rights import readable
from gnode_orm.stores.local.tables import lab_tables

_WITH_SENDER = (
    'SELECT a.hash, a.dtype, a.shape, s.account IS NOT NULL FROM "array" AS a '
    f'LEFT JOIN array_sender AS s ON s."array" = a.hash AND s.account = :actor WHERE a.hash IN {HASH_SET}'
)

Place = tuple[str, int]
"""Kind and id of an object at which an array was seen."""


def usable_arrays(
    transaction: Transaction, hashes: Set[bytes], actor: str, seen: Mapping[bytes, Place]
) -> dict[bytes, tuple[str, str]]:
    """Give dtype and shape, as text, of those arrays that the actor sent himself or may read at an object.

    ``seen`` says at which object each was seen; without it every object has to be looked at.
    """
    # Each right is looked at in one statement, so that no snapshot has to hold between them.
    rows = transaction.query(_WITH_SENDER, actor=actor, **bound_hashes(hashes))
    types = {bytes(hash_): (dtype, shape) for hash_, dtype, shape, _ in rows}
    here = types.keys()
    allowed = {bytes(hash_) for hash_, _, _, sent in rows if sent}
    allowed |= _at_places(transaction, here - allowed, actor, seen)
    allowed |= _anywhere(transaction, here - allowed, actor)
    return {hash_: types[hash_] for hash_ in allowed}


def remember_sender(transaction: Transaction, hashes: Sequence[bytes], actor: str) -> None:
    """Remember who sent some arrays."""
    transaction.run_many(
        'INSERT INTO array_sender ("array", account) VALUES (:hash, :actor) ON CONFLICT DO NOTHING',
        [{"hash": hash_, "actor": actor} for hash_ in hashes],
    )


def remember_beginning(transaction: Transaction, hash_: bytes, actor: str, beginning: bytes) -> None:
    """Remember who sent an array, and how it begins."""
    transaction.run(
        'INSERT INTO array_sender ("array", account, beginning) VALUES (:hash, :actor, :beginning) '
        'ON CONFLICT ("array", account) DO UPDATE SET beginning = excluded.beginning',
        hash=hash_, actor=actor, beginning=beginning,
    )  # fmt: skip


def remember_grown(transaction: Transaction, grown: Sequence[tuple[bytes, bytes]], actor: str) -> None:
    """Remember who made arrays of others, which they begin with; gets the hashes of both."""
    transaction.run_many(
        'INSERT INTO array_sender ("array", account, beginning) VALUES (:hash, :actor, (SELECT beginning '
        'FROM array_sender WHERE "array" = :base AND beginning IS NOT NULL LIMIT 1)) ON CONFLICT DO NOTHING',
        [{"hash": hash_, "actor": actor, "base": base} for hash_, base in grown],
    )


def begins_so(transaction: Transaction, actor: str, beginning: bytes, dtype: str, shape: str) -> bool:
    """Tell whether somebody sent an array of a dtype and shape that begins so."""
    return bool(
        transaction.query(
            'SELECT 1 FROM array_sender AS s JOIN "array" AS a ON a.hash = s."array" WHERE s.beginning = :beginning '
            "AND s.account = :actor AND a.dtype = :dtype AND a.shape = :shape LIMIT 1",
            beginning=beginning, actor=actor, dtype=dtype, shape=shape,
        )
    )  # fmt: skip


def sent_by(transaction: Transaction, hashes: Set[bytes], actor: str) -> set[bytes]:
    """Those of some arrays that a user sent."""
    if not hashes:
        return set()
    rows = transaction.query(
        f'SELECT "array" FROM array_sender WHERE account = :actor AND "array" IN {HASH_SET}',
        actor=actor, **bound_hashes(hashes),
    )  # fmt: skip
    return {bytes(hash_) for (hash_,) in rows}


def _at_places(transaction: Transaction, hashes: set[bytes], actor: str, seen: Mapping[bytes, Place]) -> set[bytes]:
    by_kind: dict[str, set[int]] = {}
    for hash_ in hashes & seen.keys():
        kind, id_ = seen[hash_]
        by_kind.setdefault(kind, set()).add(id_)
    found: set[bytes] = set()
    for kind, ids in by_kind.items():
        if SCHEMA[kind].arrays:
            text = transaction.database.compiler.cached(("arrays of", kind), lambda kind=kind: _arrays_of(kind))  # type: ignore[misc]
            rows = transaction.rows(text, {"ids": transaction.ids(list(ids)), "actor": actor})
            found.update(bytes(hash_) for row in rows for hash_ in row if hash_ is not None)
    return found & hashes


def _arrays_of(kind: str) -> sa.ClauseElement:
    """Hashes of the arrays of some objects, in every version of them that the actor may read."""
    tables, names = lab_tables().kinds[kind], [f"{field.name}_hash" for field in SCHEMA[kind].arrays]
    return sa.union_all(
        *(
            sa.select(*(table.c[name] for name in names)).where(in_ids(table.c.id, "ids"), readable(table, kind))
            for table in (tables.live, tables.past)
        )
    )


def _anywhere(transaction: Transaction, hashes: set[bytes], actor: str) -> set[bytes]:
    found: set[bytes] = set()
    for kind, field in ((kind, field) for kind, spec in SCHEMA.items() for field in spec.arrays):
        if hashes <= found:
            break
        text = _anywhere_text(transaction.database.compiler, kind, f"{field.name}_hash")
        rows = transaction.rows(text, {"actor": actor, **bound_hashes(hashes - found)})
        found.update(bytes(hash_) for (hash_,) in rows)
    return found


def _anywhere_text(compiler: Compiler, kind: str, column: str) -> str:
    def build() -> sa.ClauseElement:
        tables = lab_tables().kinds[kind]
        return sa.union_all(
            *(
                sa.select(table.c[column]).where(
                    sa.text(f'"{table.name}"."{column}" IN {HASH_SET}'), readable(table, kind)
                )
                for table in (tables.live, tables.past)
            )
        )

    return compiler.cached(("array anywhere", kind, column), build)
