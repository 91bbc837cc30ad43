"""Writing a change set: all of it or nothing, once however often it is sent."""

from __future__ import annotations

import hashlib
from collections import defaultdict

import orjson

from gnode_orm.core.changes import ChangeSet, Receipt, Version
from gnode_orm.core.schema import SCHEMA, known_kind
from gnode_orm.errors import FormatError, IntegrityError, ValidationFailed
from gnode_orm.stores.local.array_files import ArrayFiles
from gnode_orm.stores.local.array_rows import named_arrays, store_arrays
from gnode_orm.stores.local.clock import now_us
from gnode_orm.stores.local.creates import create_rows, new_columns
from gnode_orm.stores.local.database import Database, Transaction
from gnode_orm.stores.local.deletes import check_previews, delete_rows
from gnode_orm.stores.local.formats import FORMAT
from gnode_orm.stores.local.links import change_links
from gnode_orm.stores.local.pack_files import write_ahead, write_naming
from gnode_orm.stores.local.roots import propagate
from gnode_orm.stores.local.targets import check_targets
from gnode_orm.stores.local.updates import update_rows
from gnode_orm.stores.local.work import NewColumns, Work

_SHA256 = 32


def apply(database: Database, files: ArrayFiles, changes: ChangeSet, actor: str) -> Receipt:
    """Write a change set, or find the receipt of the one that was written before."""
    digest, new = digest_of(changes), new_columns(changes)
    stored = _named(changes, new)
    arrays = named_arrays(changes)
    drafts = write_ahead(database, files, _of_use(changes.arrays, arrays))
    with write_naming(database, files, drafts) as transaction:
        known = _known(transaction, changes, digest, actor)
        if known is not None:
            return known
        work = Work(transaction, changes, actor, next_version(transaction), new)
        _record(work, digest)
        work.read_states(stored)
        check_targets(work)
        check_previews(work)
        store_arrays(work, arrays, drafts)
        create_rows(work)
        update_rows(work)
        change_links(work)
        delete_rows(work)
        propagate(work)
        return Receipt(changes.id, work.seq, actor, changes.message, attempt=changes.attempt)


def _of_use(given: dict[bytes, bytes], named: dict[bytes, str]) -> dict[bytes, bytes]:
    """Those of the arrays of a change set that it names, which all should be."""
    if given.keys() <= named.keys():
        return given
    return {hash_: data for hash_, data in given.items() if hash_ in named}


def read_receipt(transaction: Transaction, change_set_id: str, actor: str) -> Receipt | None:
    """Find the receipt of a change set of an actor."""
    kept = _kept(transaction, change_set_id)
    return kept[1] if kept is not None and kept[1].user == actor else None


def digest_of(changes: ChangeSet) -> bytes:
    """A hash of the content, which tells a change set that is sent again from another one under the same id."""
    content = [
        changes.creates,
        [(item.kind, item.id, item.base, item.values) for item in changes.updates],
        [(item.kind, item.id, item.base, item.cascade and item.cascade.state) for item in changes.deletes],
        [(item.channel, item.group, item.added) for item in changes.links],
        changes.message,
    ]
    try:
        text = orjson.dumps(content, default=bytes.hex)
    except TypeError as error:
        raise ValidationFailed(f"The change set holds a value that no column takes: {error}") from None
    return hashlib.sha256(text).digest()


def next_version(transaction: Transaction) -> Version:
    """The version of the commit that holds the write lock: the time, and always more than the last one.

    Raises:
        FormatError: the lab was upgraded while this program had it open.
    """
    ((last, format_),) = transaction.query("SELECT max(seq), (SELECT format FROM lab) FROM change_set")
    if format_ != FORMAT:
        raise FormatError(
            f"The lab was brought to format {format_} while it was open here; nothing was written. "
            "Start the program again, with the gnode-orm that upgraded the lab"
        )
    return max(now_us(), (last or 0) + 1)


def _known(transaction: Transaction, changes: ChangeSet, digest: bytes, actor: str) -> Receipt | None:
    kept = _kept(transaction, changes.id)
    if kept is None:
        return None
    before, receipt = kept
    if before != digest or receipt.user != actor:
        who = "by another user" if receipt.user != actor else "with another content"
        raise IntegrityError(f"The change set {changes.id} was written before {who}; a new commit needs a new id")
    return receipt


def _kept(transaction: Transaction, change_set_id: str) -> tuple[bytes, Receipt] | None:
    """The digest of a change set that was written, and its receipt."""
    rows = transaction.query("SELECT seq, digest, actor, message FROM change_set WHERE id = :id", id=change_set_id)
    if not rows:
        return None
    ((seq, kept, user, message),) = rows
    digest, attempt = bytes(kept)[:_SHA256], bytes(kept)[_SHA256:]
    return digest, Receipt(change_set_id, seq, user, message, attempt=attempt.decode("ascii"))


def _record(work: Work, digest: bytes) -> None:
    work.transaction.run("INSERT INTO account (name) VALUES (:name) ON CONFLICT DO NOTHING", name=work.actor)
    work.transaction.insert(
        "change_set",
        ("seq", "id", "digest", "actor", "message"),
        [(work.seq, work.changes.id, digest + work.changes.attempt.encode("ascii"), work.actor, work.changes.message)],
    )


def _named(changes: ChangeSet, new: NewColumns) -> dict[str, set[int]]:
    """The stored objects that a change set names, by kind."""
    named: dict[str, set[int]] = defaultdict(set)
    for kind, columns in new.items():
        for ref in SCHEMA[kind].refs:
            named[ref.target or ""].update(columns[f"{ref.name}_id"])
    for update in changes.updates:
        named[update.kind].add(update.id)
        for ref in known_kind(update.kind).refs:
            named[ref.target or ""].add(update.values.get(f"{ref.name}_id"))  # type: ignore[arg-type]
    for delete in changes.deletes:
        known_kind(delete.kind)
        named[delete.kind].add(delete.id)
    for link in changes.links:
        named["recordingchannel"].add(link.channel)
        named["recordingchannelgroup"].add(link.group)
    created = {kind: set(columns["id"]) for kind, columns in new.items()}
    left = {kind: ids - created.get(kind, set()) - {None} for kind, ids in named.items()}
    return {kind: ids for kind, ids in left.items() if ids}
