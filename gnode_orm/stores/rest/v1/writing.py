"""A change set from check to receipt: what can be refused is looked at first, then one bulk write, then the deletes.

Nothing on such a server is compared and written in one step: between the look and the write somebody else may write.
The bulk write is all or nothing; deletes follow one by one. A bulk write whose answer is lost is looked for before it
is sent again.
"""

from __future__ import annotations

import hashlib
import threading

from gnode_orm.core.changes import ChangeSet, PartlyWritten, Receipt
from gnode_orm.errors import AccessDenied, GnodeError, IntegrityError, NotFound, StoreUnavailable, ValidationFailed
from gnode_orm.location import Location
from gnode_orm.stores.rest.v1 import bulk
from gnode_orm.stores.rest.v1.checking import Checker
from gnode_orm.stores.rest.v1.connection import Refused, V1Connection
from gnode_orm.stores.rest.v1.delete_requests import Deleter
from gnode_orm.stores.rest.v1.deleting import Below
from gnode_orm.stores.rest.v1.fields import ServerFields
from gnode_orm.stores.rest.v1.files import Files
from gnode_orm.stores.rest.v1.finding import Finder, NothingThere
from gnode_orm.stores.rest.v1.latest import Latest
from gnode_orm.stores.rest.v1.reading import Reader
from gnode_orm.stores.rest.v1.records import user_of
from gnode_orm.stores.rest.v1.settling import Settler
from gnode_orm.stores.rest.v1.underway import Underway
from gnode_orm.stores.rest.v1.units import Units

_RECEIPTS = 1000


class Writer:
    """Writes change sets of one user."""

    def __init__(
        self, connection: V1Connection, user: str, reader: Reader, fields: ServerFields, files: Files, units: Units
    ) -> None:
        self._connection = connection
        self._user = user
        self._files = files
        self._lock = threading.RLock()
        self._receipts: Latest[str, tuple[bytes, Receipt]] = Latest(_RECEIPTS)
        # By change set, the attempts whose answer is out; the latest stands last.
        self._underway: dict[str, list[Underway]] = {}
        self.below = Below(connection, reader, fields)
        self._checker = Checker(connection, reader, fields, self.below)
        self._settler = Settler(connection.address, reader, files, units)
        self._deleter = Deleter(connection, user)

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
        finder = Finder(self._connection, self._user, objects, self._files.content_shown)
        return Underway(changes, digest, objects, bases, finder, finder.before())

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

    def _finished(self, underway: Underway) -> Receipt:
        written = self._settler.written(underway)
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
        try:
            self._deleter.delete(underway, receipt)
        except (GnodeError, PartlyWritten):
            self._underway.pop(receipt.id, None)
            raise
        self._receipts[receipt.id] = (underway.digest, receipt)
        self._underway.pop(receipt.id, None)
        self._files.sent({ref.hash for item in underway.objects for ref in item.arrays.values()})
        return receipt


def _digest(changes: ChangeSet) -> bytes:
    content = (
        changes.message, changes.creates, [(u.kind, u.id, u.base, u.values) for u in changes.updates],
        [(d.kind, d.id, d.base, d.cascade) for d in changes.deletes], changes.links, sorted(changes.arrays),
    )  # fmt: skip
    return hashlib.sha256(repr(content).encode()).digest()
