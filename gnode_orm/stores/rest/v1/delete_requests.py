"""The deletes of a change set, which follow its bulk write one by one."""

from __future__ import annotations

from gnode_orm.core.changes import Delete, PartlyWritten, Receipt
from gnode_orm.errors import AccessDenied, GnodeError
from gnode_orm.location import Location
from gnode_orm.stores.rest.v1.connection import Refused, V1Connection
from gnode_orm.stores.rest.v1.underway import Underway


class Deleter:
    """Sends the deletes of one user."""

    def __init__(self, connection: V1Connection, user: str) -> None:
        self._connection = connection
        self._user = user

    def delete(self, underway: Underway, receipt: Receipt) -> None:
        """Delete one object after the other; what fails leaves the rest untried.

        Raises:
            PartlyWritten: with what is done, failed and untried.
        """
        waiting = [delete for delete in underway.changes.deletes if (delete.kind, delete.id) not in underway.deleted]
        for number, delete in enumerate(waiting):
            try:
                self._delete_one(delete)
            except (GnodeError, Refused) as error:
                cause = self._refused(delete, error) if isinstance(error, Refused) else error
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

    def _refused(self, delete: Delete, refusal: Refused) -> Exception:
        where = Location.of_number(delete.kind, delete.id)
        if refusal.denied or refusal.status == 500:
            return AccessDenied(f"{where} may be read, but not deleted, by {self._user} ({refusal.text})")
        return refusal.error(f"{where} was not deleted")
