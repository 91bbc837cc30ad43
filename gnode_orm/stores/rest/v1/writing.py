"""A change set from check to receipt: what can be refused is looked at first, then one bulk write, then the deletes.

Nothing on such a server is compared and written in one step: between the look and the write somebody else may write.
The bulk write is all or nothing; deletes follow one by one. A bulk write whose answer is lost is looked for before it
is sent again.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from gnode_orm.core.changes import (
    ArrayRef,
    ChangeSet,
    Delete,
    PartlyWritten,
    Receipt,
    Written,
)
from gnode_orm.core.instants import microseconds
from gnode_orm.core.schema import SCHEMA
from gnode_orm.errors import (
    AccessDenied,
    GnodeError,
    IntegrityError,
    NotFound,
    StoreUnavailable,
    ValidationFailed,
)
from gnode_orm.location import Location
from gnode_orm.stores.rest.v1 import bulk
from gnode_orm.stores.rest.v1.checking import Checker
from gnode_orm.stores.rest.v1.connection import Refused, V1Connection
from gnode_orm.stores.rest.v1.deleting import Below
from gnode_orm.stores.rest.v1.delta import Key, Sent
from gnode_orm.stores.rest.v1.fields import CHANNEL_GROUPS, ServerFields
from gnode_orm.stores.rest.v1.files import Files
from gnode_orm.stores.rest.v1.finding import Before, Finder, NothingThere, shows
from gnode_orm.stores.rest.v1.places import Place, place_of, version_of
from gnode_orm.stores.rest.v1.reading import Reader
from gnode_orm.stores.rest.v1.records import Json, id_of, moment, user_of
from gnode_orm.stores.rest.v1.units import Units

_KEEP = 1000


@dataclass(eq=False)
class Underway:
    """A change set that was sent, until it is known what became of it.

    Attributes:
        bases: JSON of each stored object that the bulk write changes, as it was before.
        answered: whether the server said that it wrote it.
    """

    changes: ChangeSet
    digest: bytes
    objects: list[Sent]
    bases: dict[Key, Json]
    finder: Finder
    before: Before
    answered: bool = False
    deleted: set[Key] = field(default_factory=set)


class Writer:
    """Writes change sets of one user."""

    def __init__(
        self, connection: V1Connection, user: str, reader: Reader, fields: ServerFields, files: Files, units: Units
    ) -> None:
        self._connection = connection
        self._user = user
        self._reader = reader
        self._files = files
        self._units = units
        self._lock = threading.RLock()
        self._receipts: OrderedDict[str, tuple[bytes, Receipt]] = OrderedDict()
        # By change set, the attempts whose answer is out; the latest stands last.
        self._underway: dict[str, list[Underway]] = {}
        self.below = Below(connection, reader, fields)
        self._checker = Checker(connection, reader, fields, self.below)

    def apply(self, changes: ChangeSet) -> Receipt:
        """Write a change set.

        Raises:
            PartlyWritten: it is written but for some deletes.
        """
        with self._lock:
            digest = _digest(changes)
            known = self._known(changes, digest)
            if known is not None:
                return known
            underway = self._prepared(changes, digest)
            self._send(underway)
            return self._finished(underway)

    def receipt(self, change_set_id: str) -> Receipt | None:
        """Give the receipt of a change set that was sent from here, looking for it where its answer was lost."""
        with self._lock:
            if change_set_id in self._receipts:
                return self._receipts[change_set_id][1]
            doubt: StoreUnavailable | None = None
            for underway in reversed(self._underway.get(change_set_id, [])):
                try:
                    return self._finished(underway)
                except NothingThere:
                    continue  # as yet: it may still come
                except StoreUnavailable as error:
                    doubt = doubt or error  # unless what is there is what was sent before
            if doubt is not None:
                raise doubt
            return None

    def _known(self, changes: ChangeSet, digest: bytes) -> Receipt | None:
        if self.receipt(changes.id) is None:
            return None
        before, receipt = self._receipts[changes.id]
        if before != digest:
            raise IntegrityError(f"The change set {changes.id} was written with another content")
        return receipt

    def _prepared(self, changes: ChangeSet, digest: bytes) -> Underway:
        objects, bases = self._checker.checked(changes)
        finder = Finder(self._connection, self._user, objects, self._content)
        return Underway(changes, digest, objects, bases, finder, finder.before())

    # ---- sending

    def _send(self, underway: Underway) -> None:
        if not underway.objects:
            underway.answered = True
            return
        attempts = self._underway.setdefault(underway.changes.id, [])
        attempts.append(underway)
        try:
            bulk.send(self._connection, underway.objects, lambda ref: self._files.pieces(ref, underway.changes))
            underway.answered = True
        except Refused as refusal:
            attempts.remove(underway)
            raise self._explained(underway, refusal) from None
        except (ValidationFailed, IntegrityError, NotFound):
            attempts.remove(underway)  # found while the file was made
            raise

    def _explained(self, underway: Underway, refusal: Refused) -> Exception:
        """A refused bulk write is a 500 whatever the reason; the likeliest is told."""
        if refusal.status != 500 and not refusal.denied:
            return refusal.error(f"{self._connection.address} refused the commit, and nothing was written")
        foreign = [key for key, item in underway.bases.items() if user_of(item["owner"]) != self._user]
        if foreign or refusal.denied:
            where = ", ".join(str(Location.of_number(*key)) for key in foreign[:3])
            return AccessDenied(
                f"{self._connection.address} refused the commit ({refusal.text}), and nothing was written; perhaps "
                f"you may read, but not write, what belongs to others: {where or 'an object above'}"
            )
        return ValidationFailed(
            f"{self._connection.address} refused the commit ({refusal.text}), and nothing was written"
        )

    # ---- what became of it

    def _finished(self, underway: Underway) -> Receipt:
        written = self._written(underway)
        underway.answered = True
        # The server's clock at its answer; where it does not tell, the time that the latest new object shows.
        made = max((item.created for item in written.values() if not item.base), default=0)
        receipt = Receipt(
            underway.changes.id,
            self._connection.time or made,
            self._user,
            underway.changes.message,
            written,
            underway.changes.attempt,
        )
        self._delete(underway, receipt)
        self._receipts[receipt.id] = (underway.digest, receipt)
        self._underway.pop(receipt.id, None)
        while len(self._receipts) > _KEEP:
            self._receipts.popitem(last=False)
        self._files.sent({ref.hash for item in underway.objects for ref in item.arrays.values()})
        return receipt

    def _written(self, underway: Underway) -> dict[Key, Written]:
        """Find what was written, by the kind and id that it was sent with.

        Raises:
            NothingThere: nothing was.
        """
        if not underway.objects:
            return {}
        if underway.answered:
            try:
                found = underway.finder.after(underway.before)
            except NothingThere:
                raise StoreUnavailable(
                    f"{self._connection.address} says that the commit is written, and shows nothing of it; look at the "
                    "server before you commit again"
                ) from None
            now = self._changed(underway)
        else:
            now = self._changed(underway)
            changed = [key for key, item in now.items() if item["guid"] != underway.bases[key]["guid"]]
            found = underway.finder.after(underway.before)
            if not found and not changed:
                raise NothingThere
            self._refuse_doubt(underway, now, changed)
        return {item.key: self._noted(underway, item, {**found, **now}[item.key]) for item in underway.objects}

    def _changed(self, underway: Underway) -> dict[Key, Json]:
        ids: dict[str, list[int]] = {}
        for item in underway.objects:
            if not item.is_new:
                ids.setdefault(item.kind, []).append(item.id)
        found = {
            (kind, id_): item for kind, many in ids.items() for id_, item in self._reader.items(kind, many).items()
        }
        gone = [item for item in underway.objects if not item.is_new and item.key not in found]
        if gone:
            raise StoreUnavailable(f"{gone[0]!r} was deleted by somebody else while it was written; refresh it")
        return found

    def _refuse_doubt(self, underway: Underway, now: Mapping[Key, Json], changed: list[Key]) -> None:
        """After a lost answer: everything must be there as it was sent, or somebody else's change is taken for ours."""
        for item in underway.objects:
            if item.is_new:
                continue
            there = now[item.key]
            if item.key not in changed or not shows(item.kind, there, item) or not self._has_data(item, there):
                raise StoreUnavailable(
                    f"The answer to the commit was lost, and {item!r} is neither as it was nor as it was sent; refresh "
                    "it, and look at the server before you commit again"
                )

    def _has_data(self, item: Sent, now: Json) -> bool:
        return all(self._content(item.kind, now, name) == self._content_sent(ref) for name, ref in item.arrays.items())

    def _noted(self, underway: Underway, item: Sent, now: Json) -> Written:
        """Remember what the server does not show of an object that was written."""
        id_, version = id_of(now), version_of(now["guid"])
        base = underway.bases.get(item.key)
        before = None if base is None else version_of(base["guid"])
        self._units.wrote(item.kind, id_, before, version, item.units)
        if item.groups is not None:
            groups = [self._real(underway, group) for group in item.groups]
            self._reader.wrote_groups(id_, now["guid"], groups)
        arrays = {}
        for spec in SCHEMA[item.kind].arrays:
            if before is not None and spec.name not in item.arrays:
                place = Place(item.kind, id_, spec.name, before)
                self._files.unchanged(place, place._replace(version=version))
        for name, ref in item.arrays.items():
            content = self._content_sent(ref)
            arrays[name] = self._files.stored(Place(item.kind, id_, name, version), ref, content)
        return Written(id_, version, microseconds(moment(now["date_created"])), arrays, before or 0)

    def _real(self, underway: Underway, group: int) -> int:
        new = underway.finder.found.get((CHANNEL_GROUPS, group))
        return group if new is None else id_of(new)

    def _content_sent(self, ref: ArrayRef) -> bytes:
        return ref.hash if place_of(ref.hash) is None else self._files.content_hash(ref)

    def _content(self, kind: str, item: Json, name: str) -> bytes:
        ref = self._files.open(Place(kind, id_of(item), name, version_of(item["guid"])).name, None)
        return b"" if ref is None else self._files.content_hash(ref)

    # ---- deletes

    def _delete(self, underway: Underway, receipt: Receipt) -> None:
        """Delete one object after the other; what fails leaves the rest untried.

        Raises:
            PartlyWritten: with what is done, failed and untried.
        """
        waiting = [delete for delete in underway.changes.deletes if (delete.kind, delete.id) not in underway.deleted]
        for number, delete in enumerate(waiting):
            try:
                self._delete_one(delete)
            except (GnodeError, Refused) as error:
                self._underway.pop(receipt.id, None)
                cause = self._refused_delete(delete, error) if isinstance(error, Refused) else error
                if not underway.objects and not underway.deleted:
                    raise cause from None
                raise PartlyWritten(
                    receipt,
                    done=sorted(underway.deleted),
                    failed=[(delete.kind, delete.id)],
                    untried=[(item.kind, item.id) for item in waiting[number + 1 :]],
                    cause=cause,
                ) from None
            underway.deleted.add((delete.kind, delete.id))

    def _delete_one(self, delete: Delete) -> None:
        path = str(Location.of_number(delete.kind, delete.id))
        try:
            self._connection.exchange("DELETE", path, lambda answer: None)
        except Refused as refusal:
            if not refusal.gone:  # sent twice, or somebody else was first: what was asked for is so
                raise

    def _refused_delete(self, delete: Delete, refusal: Refused) -> Exception:
        where = Location.of_number(delete.kind, delete.id)
        if refusal.denied or refusal.status == 500:
            return AccessDenied(f"{where} may be read, but not deleted, by {self._user} ({refusal.text})")
        return refusal.error(f"{where} was not deleted")


def _digest(changes: ChangeSet) -> bytes:
    content = (
        changes.message, changes.creates, [(u.kind, u.id, u.base, u.values) for u in changes.updates],
        [(d.kind, d.id, d.base, d.cascade) for d in changes.deletes], changes.links, sorted(changes.arrays),
    )  # fmt: skip
    return hashlib.sha256(repr(content).encode()).digest()
