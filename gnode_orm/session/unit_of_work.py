"""The unit of work: what is tracked, what is pending, and how it is written. Sessions are its public face."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

from gnode_orm.core.changes import ArrayMissing, IdTaken, PartlyWritten, Receipt, StaleRows
from gnode_orm.core.collections import leave_links
from gnode_orm.core.entity import Entity
from gnode_orm.core.instants import time_of
from gnode_orm.core.schema import Relation
from gnode_orm.core.select import Select
from gnode_orm.core.state import State, Status
from gnode_orm.errors import (
    AccessDenied,
    DetachedError,
    IntegrityError,
    NotFound,
    SessionError,
    UnsupportedByStore,
    ValidationFailed,
)
from gnode_orm.location import Location
from gnode_orm.session import adding, classic, deleting, history, natives, recovering
from gnode_orm.session.commit import Commit
from gnode_orm.session.conflicts import conflict_error
from gnode_orm.session.hooks import Hooks
from gnode_orm.session.identity_map import IdentityMap
from gnode_orm.session.lazy_loads import LazyLoads
from gnode_orm.session.loading import Loader, children_select, collector_paused, take_record
from gnode_orm.session.partial import partial_commit, written_part
from gnode_orm.session.pending import Pending
from gnode_orm.session.plan import Plan
from gnode_orm.session.planning import make_plan
from gnode_orm.session.sending import Sending
from gnode_orm.session.settling import settle
from gnode_orm.session.threads import OneAtATime
from gnode_orm.session.writing import IDS, change_set
from gnode_orm.stores.protocol import Store

E = TypeVar("E", bound=Entity)

# What a store says when it wrote nothing, for certain.
_REFUSALS = (StaleRows, IdTaken, ValidationFailed, IntegrityError, NotFound, AccessDenied, UnsupportedByStore)


class Written(NamedTuple):
    """A commit, and the objects that it created and changed."""

    commit: Commit
    entities: list[Entity]


class UnitOfWork:
    """Tracks the objects of one session over one store, and writes what is pending as one change set.

    The objects call it when they are about to change, when they are hung together, and when something has to be loaded.
    """

    def __init__(self, store: Store, user: str, at: Any, readonly: bool, of_lab: Hooks | None = None) -> None:
        self.store = store
        self.user = user
        """Name of the user on whose behalf everything is read and written."""
        self._at = history.version_of(self.store, at)
        self.readonly = readonly or at is not None
        self._identity = IdentityMap()
        self._hooks = Hooks(of_lab)
        self._loader = Loader(self, self.store, self._identity, self._pointing, partial(self._hooks.on_load, self))
        # Objects whose foreign key names something by location that may come into memory later.
        self._by_location: dict[int, Entity] = {}
        self._pending = Pending()
        self._guard = OneAtATime()
        self._natives = natives.NativeObjects()
        self._uploads = classic.Uploads()
        # The change set whose fate is unknown: the store failed, or was interrupted, while it was taking it.
        self._unsettled: recovering.Unsettled | None = None
        # By attempt, change sets that the store did not have when it was asked; the next attempt carries their id.
        self._doubted: dict[str, recovering.Unsettled] = {}
        # What the store is being given at this moment.
        self._sending: Sending | None = None
        self._lazy_loads = LazyLoads()
        # How many writes and rollbacks there were: a savepoint from before one of them is void.
        self._writes = 0
        self._nesting = 0
        self._flushing = False
        self._closed = False

    def before_change(self, entity: Entity) -> None:
        """Take note of an object about to change; it is held until the change is written or undone."""
        with self._use():
            state = entity._state
            assert state is not None
            # What is marked for deletion may be kept after all: by add(), or by a rollback.
            if state.status in (Status.PERSISTENT, Status.DELETED):
                self._check_writable()
                self._pending.modified[id(entity)] = entity

    def join(self, entity: Entity) -> None:
        """Track an object that was hung below, or made the parent of, a tracked one."""
        with self._use():
            self._check_writable()
            adding.add(self, entity)

    def find_loaded(self, kind: str, id: int) -> Any:
        """Give an instance that is in memory, or ``None``."""
        return self._identity.get(kind, id)

    def forget(self, state: State) -> None:
        """Let go of an object that nobody holds any more."""
        self._identity.forget(state)

    def note_location(self, entity: Entity) -> None:
        """Remember an object that names something by location."""
        self._by_location[id(entity)] = entity

    def load_reference(self, entity: Entity, name: str, kind: str, id: int) -> Any:
        """Load the parent that a foreign key names."""
        with self._use():
            parent = self._loaded(kind, id)
            if parent is None:
                parent = self._get(kind, id)
                self._lazy_loads.note(type(entity), name)
        if parent is None:
            location = Location.of_number(kind, id)
            raise NotFound(f"{entity!r}.{name}: {location} does not exist, or is not shared with {self.user}")
        return parent

    def load_collection(self, entity: Entity, relation: str) -> list[Any]:
        """Read the stored members of a collection."""
        with self._use():
            item = entity.__spec__.relation_by_name[relation]
            if item.many_to_many:
                found = self._linked(entity, item.kind)
            else:
                found = self._loader.members(item, entity, self._run(children_select(entity, item, self._at)))
            self._lazy_loads.note(type(entity), relation)
            return found

    def _use(self) -> OneAtATime:
        if self._closed:
            raise DetachedError("The session is closed; open a new one, or read values that were loaded before")
        return self._guard

    def _check_writable(self) -> None:
        if self.readonly:
            raise SessionError("The session is read-only; open one without readonly= and at= to change the lab")

    def _check_not_sending(self, what: str) -> None:
        if self._sending is not None:
            raise SessionError(f"{what} while a commit is under way would lose track of it; do it when it has returned")

    def _own(self, obj: Entity) -> State:
        state = obj._state if isinstance(obj, Entity) else None
        if state is None or state.tracker is not self:
            raise SessionError(f"{obj!r} is not in this session; add it or get it first")
        return state

    def _plan(self) -> Plan:
        pending = self._pending
        return make_plan(pending.new.values(), pending.touched(), pending.deleted.values())

    def _write(self, message: str | None, *, resend: bool = True) -> Written:
        recovering.reconcile(self)
        plan = self._plan()
        if not plan:
            self._pending.forget_unchanged()
            return Written(Commit("", None, self.user, message), [])
        self._check_writable()
        sending = Sending(plan)
        try:
            receipt = self._send(sending, message)
        except _REFUSALS as refusal:
            if recovering.came_late(self) or self._made_way(refusal, plan):
                return self._write(message)
            if resend and isinstance(refusal, ArrayMissing):
                # It was sent so long ago that it was removed as of no use; whoever builds the set anew sends it again.
                return self._write(message, resend=False)
            raise
        commit = Commit(receipt.id, time_of(receipt.version), receipt.user, message, plan.counts())
        return Written(commit, sending.entities)

    def _send(self, sending: Sending, message: str | None) -> Receipt:
        """Let the store write a plan, and settle it; anything but a clear refusal leaves its fate unknown."""
        with sending.on_its_way():
            self._sending = sending
            try:
                sending.changes, sending.named = change_set(sending.plan, self.store, message)
                recovering.name_alike(self, sending.changes)
                with recovering.in_doubt(self, sending, unless=(*_REFUSALS, PartlyWritten)):
                    receipt = self.store.apply(sending.changes, self.user)
                with recovering.in_doubt(self, sending):
                    self._settle(sending, receipt)
                return receipt
            except PartlyWritten as error:
                stopped, whole = error, sending.plan
                sending.plan = written_part(whole, stopped)
                with recovering.in_doubt(self, sending):
                    self._settle(sending, stopped.receipt)
            finally:
                self._sending = None
        raise partial_commit(whole, stopped) from stopped.cause

    def _made_way(self, refusal: Exception, plan: Plan) -> bool:
        """Remove what a store refused a change set for, where that takes no decision.

        Raises:
            ConflictError: objects were changed by somebody else.
        """
        if isinstance(refusal, IdTaken):
            self._renumber(plan)
            return True
        if isinstance(refusal, StaleRows):
            stale = deleting.drop_gone(self, refusal.stale)
            if stale:
                raise conflict_error(self, stale) from None
            return True
        return False

    def _settle(self, sending: Sending, receipt: Receipt) -> None:
        plan = sending.plan
        self._writes += 1
        for entity in plan.creates if receipt.written is not None else ():
            self._identity.remove(entity.kind, entity._state.id)  # the store gave it another id
        settle(sending, receipt, self.store)
        self._follow(receipt)
        self._identity.add_all(map(attrgetter("_state"), plan.creates))
        self._pending.drop_new(plan.creates)
        for update in plan.updates:
            self._pending.modified.pop(id(update.obj), None)
        for entity in sending.still_edited():
            self._pending.modified[id(entity)] = entity
        self._pending.forget_unchanged()
        for planned in plan.deletes:
            self._pending.deleted.pop(id(planned.obj), None)
            self._pending.modified.pop(id(planned.obj), None)
            deleting.forget(self, planned, None if receipt.written is not None else receipt.version)
        pending = self._pending.new.keys() | self._pending.modified.keys()
        self._by_location = {key: item for key, item in self._by_location.items() if key in pending}
        self._doubted.clear()

    def _follow(self, receipt: Receipt) -> None:
        """Take over the versions of objects that a store wrote again along with those of the plan."""
        for (kind, _), written in (receipt.written or {}).items():
            entity = self._identity.get(kind, written.id)
            if entity is not None and entity._state.version == written.base:
                entity._state.version = written.version

    def _renumber(self, plan: Plan) -> None:
        self._doubted.clear()  # what was sent before cannot be written under new ids
        IDS.restart()
        for entity in plan.creates:
            assert entity._state is not None
            entity._state.id = 0

    def _loaded(self, kind: str, id: int) -> Any:
        entity = self._identity.get(kind, id)
        return None if entity is None or entity._expired else entity

    def _get(self, kind: str, id: int) -> Any:
        entity = self._loaded(kind, id)
        if entity is not None:
            return entity
        rows = self.store.get(kind, [id], self.user, self._at)
        return self._loader.instances(kind, rows)[0] if rows else None

    def _run(self, select: Select) -> list[Any]:
        with self._use(), collector_paused(select.limit is None):
            return self._loader.selected(self.store.select(select, self.user))

    def _page(self, select: Select) -> tuple[list[Any], Any]:
        with self._use():
            answer = self.store.select(select, self.user)
            return self._loader.selected(answer), answer.cursor

    def _count(self, select: Select) -> int:
        with self._use():
            return self.store.count(replace(select, eager=()), self.user)

    def _count_by(self, select: Select, path: tuple[str, ...]) -> dict[int, int]:
        with self._use():
            return self.store.count_by(replace(select, eager=()), path, self.user)

    def _linked(self, entity: Entity, kind: str) -> list[Any]:
        state = self._own(entity)
        mine = [state.id]
        if entity.kind == "recordingchannel":
            numbers = [group for _, group in self.store.links(mine, [], self.user, self._at)]
        else:
            numbers = [channel for channel, _ in self.store.links([], mine, self.user, self._at)]
        rows = {row[0]: row for row in self.store.get(kind, numbers, self.user, self._at)}
        return self._loader.instances(kind, [rows[number] for number in numbers if number in rows])

    def _pointing(self, owner: Entity, relation: Relation) -> list[Entity]:
        """Pending objects whose foreign key was set to the owner's location before the owner was in memory."""
        return [
            item for item in self._by_location.values()
            if item.kind == relation.kind and item.ref(relation.fk) == owner.location
            and _is_pending_move(item, relation.fk)
        ]  # fmt: skip

    def reload(self, entity: Entity) -> None:
        """Read the record of an expired object."""
        state = self._own(entity)
        with self._use():
            rows = self.store.get(entity.kind, [state.id], self.user, self._at)
        if not rows:
            raise NotFound(f"{entity.location} is not there any more; it was deleted or is no longer shared with you")
        take_record(self, entity, rows[0])

    def _let_go(self, entity: Entity) -> None:
        state = entity._state
        assert state is not None
        self._pending.drop(entity)
        self._by_location.pop(id(entity), None)
        if state.stored:
            self._identity.remove(entity.kind, state.id)
        else:
            leave_links(entity)
        detach(entity)


def _is_pending_move(entity: Entity, fk: str) -> bool:
    state = entity._state
    return state is not None and (not state.stored or fk in (state.original or {}))


def detach(entity: Entity) -> None:
    """Let an object live on without a session: a stored one detached, a new one transient."""
    state = entity._state
    if state is None:
        return
    if state.stored:
        state.tracker = None
        state.status = Status.DETACHED
    else:
        object.__setattr__(entity, "_state", None)
