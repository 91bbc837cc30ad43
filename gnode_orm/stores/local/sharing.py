"""Access lists of blocks and documents; in force at once, and not versioned."""

from __future__ import annotations

from gnode_orm.errors import AccessDenied, NotFound, ValidationFailed
from gnode_orm.stores.local.creates import ROOT_KINDS
from gnode_orm.stores.local.database import Database, Transaction
from gnode_orm.stores.local.reading import record_of
from gnode_orm.stores.local.work import label

LEVELS = ("read", "write")


def access(database: Database, kind: str, id_: int, actor: str) -> dict[str, str]:
    """Give the access list of a block or document."""
    with database.snapshot() as transaction:
        _check_owned(transaction, kind, id_, actor)
        rows = transaction.query(
            "SELECT account, level FROM access WHERE root_kind = :kind AND root_id = :id ORDER BY account",
            kind=kind,
            id=id_,
        )
    return dict(rows)


def set_access(database: Database, kind: str, id_: int, levels: dict[str, str], actor: str) -> None:
    """Replace the access list of a block or document.

    Raises:
        ValidationFailed: there is no such level.
        AccessDenied: it belongs to somebody else.
    """
    for account, level in levels.items():
        if level not in LEVELS:
            raise ValidationFailed(f"The access of {account!r} is {level!r}; use 'read' or 'write'", value=level)
    with database.write() as transaction:
        _check_owned(transaction, kind, id_, actor)
        transaction.run("DELETE FROM access WHERE root_kind = :kind AND root_id = :id", kind=kind, id=id_)
        rows = [(kind, id_, account, level) for account, level in levels.items()]
        if rows:
            transaction.insert("access", ("root_kind", "root_id", "account", "level"), rows)


def _check_owned(transaction: Transaction, kind: str, id_: int, actor: str) -> None:
    if kind not in ROOT_KINDS:
        raise ValidationFailed(
            f"Only blocks and documents are shared, not a {kind}; share the one above it", value=kind
        )
    if record_of(transaction, kind, id_, actor) is None:
        raise NotFound(f"{label(kind, id_)} does not exist")
    ((owner,),) = transaction.query("SELECT owner FROM root WHERE kind = :kind AND id = :id", kind=kind, id=id_)
    if owner != actor:
        raise AccessDenied(f"{label(kind, id_)} belongs to {owner}, who alone sees and changes with whom it is shared")
