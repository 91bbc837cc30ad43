"""The session: what applications use. Identity map, unit of work, queries and loading over one lab."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from gnode_orm.core.changes import ChangeSet, IdTaken, Receipt, StaleRows
from gnode_orm.core.codec import from_microseconds
from gnode_orm.core.collections import collection_of
from gnode_orm.core.entity import Entity
from gnode_orm.core.failures import misspelt
from gnode_orm.core.schema import Relation
from gnode_orm.core.select import Select
from gnode_orm.core.state import State, Status
from gnode_orm.errors import (
    AccessDenied,
    DetachedError,
    IntegrityError,
    NotFound,
    SessionError,
    UncommittedChangesWarning,
    UnsupportedByStore,
    ValidationFailed,
)
from gnode_orm.location import Location
from gnode_orm.models import MODELS
from gnode_orm.session import classic, deleting, history, natives, recovering, rolling_back, sharing
from gnode_orm.session.conflicts import conflict_error
from gnode_orm.session.hooks import Hooks
from gnode_orm.session.identity_map import IdentityMap
from gnode_orm.session.loading import Loader, children_select, collector_paused, is_clean, take_record
from gnode_orm.session.pending import Pending, counted, is_changed, reachable
from gnode_orm.session.plan import Plan
from gnode_orm.session.planning import changed_fields, link_changes, make_plan
from gnode_orm.session.query import Query
from gnode_orm.session.savepoints import Savepoint
from gnode_orm.session.threads import OneAtATime
from gnode_orm.session.writing import IDS, change_set, settle
from gnode_orm.stores.protocol import Store

if TYPE_CHECKING:
    from gnode_orm.core.changes import DeletePreview
    from gnode_orm.session.import_plan import ImportPlan, Metadata, Paths
    from gnode_orm.session.import_result import ImportResult
    from gnode_orm.session.importing import Progress
    from gnode_orm.session.lab import Lab

E = TypeVar("E", bound=Entity)

# What a store says when it wrote nothing, for certain.
_REFUSALS = (StaleRows, IdTaken, ValidationFailed, IntegrityError, NotFound, AccessDenied, UnsupportedByStore)


@dataclass(frozen=True, slots=True)
class Commit:
    """What a commit wrote.

    Attributes:
        id: the change set's id; empty when there was nothing to write.
        time: when, by the store's clock.
        user: by whom.
        message: as given.
        counts: objects by operation and class, such as ``{"create Segment": 3}``.
    """

    id: str
    time: datetime | None
    user: str
    message: str | None = None
    counts: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        if not self.counts:
            return "Nothing to commit"
        return f"Commit {self.id[:8]} by {self.user}: " + ", ".join(f"{verb} {n}" for verb, n in self.counts.items())


class Session:
    """A conversation with a lab. Objects that are added, loaded or reached are tracked; ``commit()`` writes them.

    A context manager: an exception rolls back; leaving closes and never commits, but warns with counts when something
    was pending.
    """

    def __init__(
        self,
        target: Any = None,
        *,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        arrays: Any = None,
        at: Any = None,
        readonly: bool = False,
        create: bool = True,
        store: Store | None = None,
        lab: Lab | None = None,
    ) -> None:
        from gnode_orm.session.lab import Lab, open_lab

        self._owns_lab = lab is None
        if lab is None and store is not None:
            lab = Lab(store, username)
        if lab is None:
            lab = open_lab(
                target, username=username, password=password, token=token, arrays=arrays,
                create=create and not readonly and at is None, readonly=readonly or at is not None,
            )  # fmt: skip
        self.lab = lab
        """The lab that the session belongs to."""
        self.store = lab.store
        self.user = lab.user
        """Name of the user on whose behalf everything is read and written."""
        self._at = history.version_of(self.store, at)
        self.readonly = readonly or at is not None
        self._identity = IdentityMap()
        self._hooks = Hooks()
        self._loader = Loader(self, self.store, self._identity, self._pointing, self._hooks.on_load)
        # Objects whose foreign key names something by location that may come into memory later.
        self._by_location: dict[int, Entity] = {}
        self._pending = Pending()
        self._guard = OneAtATime()
        self._natives = natives.NativeObjects()
        self._uploads = classic.Uploads()
        # The change set whose fate is unknown: the store failed, or was interrupted, while it was taking it.
        self._unsettled: recovering.Unsettled | None = None
        # The id of a change set that the store turned out not to have; the next attempt carries it.
        self._retry_id: str | None = None
        # How many writes and rollbacks there were: a savepoint from before one of them is void.
        self._writes = 0
        self._nesting = 0
        self._flushing = False
        self._closed = False

    # ---- adding and deleting

    def add(self, obj: Any) -> Any:
        """Track an object, with its parents and with the children in its collections.

        A neo or odML object gives the model that stands for it; adding the same one again updates that model.

        Raises:
            ValidationFailed: it belongs to another session, or another instance stands for the same stored object.
        """
        with self._use():
            if not isinstance(obj, Entity):
                return natives.add_native(self, self._natives, obj)
            self._check_writable()
            self._add(obj)
            return obj

    def add_all(self, objs: Iterable[Any]) -> list[Any]:
        """Track several objects."""
        return [self.add(obj) for obj in objs]

    def delete(self, obj: Entity, cascade: bool = False) -> None:
        """Mark an object for deletion by the next commit; a new object is simply forgotten.

        Raises:
            IntegrityError: it has children and ``cascade`` is not given; ``counts`` names them.
        """
        with self._use():
            self._check_writable()
            deleting.mark(self, obj, cascade)

    def preview_delete(self, obj: Entity) -> DeletePreview:
        """Say what deleting an object would touch: children by kind, optional links that become null, owners."""
        with self._use():
            return deleting.preview(self, obj)

    # ---- what is pending

    @property
    def new(self) -> list[Entity]:
        """Objects that a commit would create."""
        return list(self._pending.new.values())

    @property
    def dirty(self) -> list[Entity]:
        """Stored objects that a commit would change."""
        return self._pending.dirty()

    @property
    def deleted(self) -> list[Entity]:
        """Objects that a commit would delete."""
        return self._pending.gone()

    def is_modified(self, obj: Entity) -> bool:
        """Whether an object differs from what was last written; reads nothing."""
        return is_changed(obj)

    def changes(self, obj: Entity) -> dict[str, tuple[Any, Any]]:
        """Give ``field -> (old, new)`` for what a commit would write of an object."""
        changes: dict[str, tuple[Any, Any]] = dict(changed_fields(obj))
        for name, (added, removed) in link_changes(obj).items():
            now = list(collection_of(obj, obj.__spec__.relation_by_name[name]))
            changes[name] = ([*(item for item in now if item not in added), *removed], now)
        return changes

    def plan(self) -> Plan:
        """Give what a commit would write, in order, without writing."""
        with self._use():
            plan = self._plan()
            plan.review()
            return plan

    # ---- writing

    def commit(self, message: str | None = None, *, plan: Plan | None = None) -> Commit:
        """Write everything pending as one atomic change set, durable when this returns.

        With ``plan``, refuse when what is pending is no longer what was reviewed.

        Raises:
            ValidationFailed, IntegrityError: nothing was written, and everything is still pending.
            ConflictError: objects were changed by somebody else; settle the conflicts and commit again.
            StoreUnavailable: the store cannot take it now; commit again later, it is written once.
        """
        with self._use():
            commit = self._flush(message, plan)
            self._hooks.after_commit(self, commit)
            return commit

    def flush(self) -> Commit:
        """Write everything pending, as durable as a commit, without telling the ``after_commit`` hooks."""
        with self._use():
            return self._flush(None, None)

    def _flush(self, message: str | None, plan: Plan | None) -> Commit:
        if self._nesting:
            raise SessionError("nested() can undo what is inside, but not a commit; commit after it")
        if self._flushing:
            raise SessionError("A hook cannot commit; what it adds and changes is part of the commit under way")
        if plan is not None and plan.reviewed != self.plan().reviewed:
            raise SessionError("What is pending is no longer what the plan shows; print session.plan() again")
        self._natives.warn_of_edits()
        self._flushing = True
        try:
            self._hooks.before_flush(self)
            with collector_paused(len(self._pending.new) > 1000):
                return self._write(message)
        finally:
            self._flushing = False

    def on(self, event: str, hook: Callable[..., Any], model: type[Entity] = Entity) -> None:
        """Call ``hook`` at every ``event`` of this session.

        ``before_flush``: with the session, before anything is written; what it adds and changes is written too.
        ``after_commit``: with the session and the ``Commit``. ``on_load``: with each object that is read from the
        store, of ``model`` if it is given.
        """
        self._hooks.register(event, hook, model)

    def rollback(self) -> None:
        """Undo in memory every change since the last write; reads nothing."""
        with self._use():
            rolling_back.roll_back(self)

    @contextmanager
    def begin(self, message: str | None = None) -> Iterator[Session]:
        """Commit at the end of the block; roll back when it raises."""
        try:
            yield self
        except BaseException:
            self.rollback()
            raise
        self.commit(message)

    @contextmanager
    def nested(self) -> Iterator[Session]:
        """Undo in memory what was done inside when it raises; what was pending before stays pending.

        Nothing can be written inside: a commit is durable and could not be undone.
        """
        with self._use():
            savepoint = Savepoint(self)
        self._nesting += 1
        try:
            yield self
        except BaseException:
            with self._use():
                savepoint.restore()
            raise
        finally:
            self._nesting -= 1

    # ---- reading

    @overload
    def get(self, target: str, /) -> Any: ...
    @overload
    def get(self, target: type[E], id: str, /) -> E | None: ...
    def get(self, target: Any, id: str | None = None, /) -> Any:
        """Give one object by location, or by class and id; ``None`` where there is none to see.

        The same instance for the same location while anyone holds it.
        """
        location = _location_of(target, id)
        with self._use():
            return self._get(location.kind, location.number)

    def query(self, model: type[E]) -> Query[E]:
        """Start a query for objects of one class."""
        if not (isinstance(model, type) and model in MODELS.values()):
            raise ValidationFailed(f"query({model!r}): one of the 18 classes is needed, such as Block", value=model)
        return Query(self, model)

    def load_arrays(self, objs: Iterable[Any], *, t0: Any = None, t1: Any = None, channels: Any = None) -> list[Any]:
        """Read the samples of many signals, or the same stretch of each, in as few reads as possible."""
        from gnode_orm.session.arrays import load_arrays

        with self._use():
            return load_arrays(self.store, list(objs), t0, t1, channels)

    def refresh(self, obj: Entity, *collections: str) -> None:
        """Read an object anew, losing its local changes; or, by name, some of its collections, keeping theirs.

        Raises:
            NotFound: it was deleted meanwhile.
        """
        with self._use():
            self._own(obj)
            for name in collections:
                relation = obj.__spec__.relation_by_name.get(name)
                if relation is None:
                    raise misspelt(type(obj), name, among=obj.__spec__.relation_by_name)
                collection_of(obj, relation).fill(self.load_collection(obj, name))
            if collections:
                return
            rolling_back.restore(self, [obj])
            self.reload(obj)

    def expire_all(self) -> None:
        """Read every clean object, and every collection without pending changes, anew when it is next used."""
        with self._use():
            for entity in list(self._identity):
                if is_clean(entity):
                    entity._expire()
                for collection in (entity._collections or {}).values():
                    collection.expire()

    def merge(self, obj: E) -> E:
        """Bring a detached object into this session; its changed fields become pending on the session's instance.

        Raises:
            ConflictError: it is based on an older version than the stored one.
        """
        from gnode_orm.session.merging import merge

        with self._use():
            merged: E = merge(self, obj)
            return merged

    def expunge(self, obj: Entity) -> None:
        """Let go of an object, and of new objects that hang below it; its values stay in memory."""
        with self._use():
            self._own(obj)
            recovering.reconcile(self)
            for entity in [obj, *rolling_back.new_below(self, obj)]:
                self._let_go(entity)

    # ---- history and rights

    def history(self, target: Any) -> list[history.Version]:
        """Give every version of an object: commit, time, user and changed fields, oldest first."""
        location = _location_of(target, None)
        with self._use():
            return history.versions(self.store, location, self.user)

    def share(self, obj: Entity, user: str, level: str = "read") -> None:
        """Give a user access to a block or document and everything below, ``"read"`` or ``"write"``, at once."""
        sharing.share(self, obj, user, level)

    def unshare(self, obj: Entity, user: str) -> None:
        """Take a user's access back, at once."""
        sharing.unshare(self, obj, user)

    def access(self, obj: Entity) -> dict[str, str]:
        """Give the access list of a block or document: user to level."""
        return sharing.access(self, obj)

    def permissions(self, obj: Entity, permissions: dict[str, str] | None = None) -> dict[str, str]:
        """Give the access list, or replace it."""
        return sharing.permissions(self, obj, permissions)

    # ---- files

    def import_file(
        self,
        path: str | PathLike[str],
        *,
        template: str | PathLike[str] | None = None,
        metadata: Metadata = None,
        timezone: str | tzinfo | None = None,
        reader: str | None = None,
        keep_personal: bool = False,
        raw: bool = False,
        force: bool = False,
        again: bool = False,
        progress: Progress | None = None,
    ) -> ImportResult:
        """Read a recording or an odML file into the lab; pending work is untouched.

        Each block, or the document, is one atomic commit. Blocks and segments without a name are called after the file.
        What is in the lab already, by its content, is not imported again.

        Args:
            path: a file, or a folder where the recording is one.
            template: an odML file that becomes a document beside each block, filled from ``metadata``; or a TOML file
                that says what objects must have.
            metadata: values by name, or a function that gives them for the path. They go to the properties of the
                template that are called so, and otherwise to the annotations of the block.
            timezone: where the recording was made, such as ``"Europe/Berlin"``, for times that come without a zone.
            reader: name of one reader to use, such as ``"AxonIO"``, instead of those that fit the content.
            keep_personal: keep name, birth date and the like of a person, where the file holds them.
            raw: store the integers of the file with gain and offset, where the reader gives them.
            force: leave out objects that have errors, and list them, instead of refusing the block.
            again: import it although its content is in the lab already.
            progress: called with what is done, what there is to do, and what is being done.

        Raises:
            NotFound: there is nothing at the path.
            FormatError: nothing of it could be read or kept; the lab is unchanged.
            SessionError: the session is read-only.
        """
        from gnode_orm.session.import_plan import import_file

        return import_file(
            self, path, template=template, metadata=metadata, timezone=timezone, reader=reader,
            keep_personal=keep_personal, raw=raw, force=force, again=again, progress=progress,
        )  # fmt: skip

    def plan_import(
        self,
        paths: Paths,
        *,
        template: str | PathLike[str] | None = None,
        metadata: Metadata = None,
        timezone: str | tzinfo | None = None,
        reader: str | None = None,
        keep_personal: bool = False,
        raw: bool = False,
    ) -> ImportPlan:
        """Look at files, and give what an import of them would make: to print, to edit and to ``apply()``.

        Nothing is written. A folder stands for the recordings in it, unless it is one recording. The arguments are
        those of ``import_file``; each file of the plan has them as attributes.
        """
        from gnode_orm.session.import_plan import plan_import

        return plan_import(
            self, paths, template=template, metadata=metadata, timezone=timezone, reader=reader,
            keep_personal=keep_personal, raw=raw,
        )  # fmt: skip

    def export(self, obj: Entity, path: str | PathLike[str], *, replace: bool = False) -> list[str]:
        """Write an object and everything below it to a file of neo or odML, and give what the file does not hold.

        Raises:
            ValidationFailed: no such format, not for this object, or the file is there and ``replace`` is not given.
        """
        from gnode_orm.files.export import export

        with self._use():
            return export(obj, path, replace=replace)

    # ---- the calls of the original client

    def set(self, obj: Any) -> Any:
        """Write an object and its unstored parents now, with whatever else is pending, and return the stored model.

        An unstored argument is left untouched: setting it again makes a second object, with a
        ``DuplicateUploadWarning``. Go on with what this returns.
        """
        return classic.set_one(self, self._uploads, obj)

    def set_all(self, obj: Any) -> Any:
        """Write an object, its parents and everything below it now, and return the model."""
        return classic.set_all(self, obj)

    def select(self, kind: str, filters: Mapping[str, Any] | None = None) -> list[Any]:
        """Give the objects of a kind by lookups: ``select("segment", {"name__icontains": "trial"})``."""
        return classic.select(self, kind, filters)

    def clear_cache(self) -> None:
        """Read everything that is not being changed anew when it is next used."""
        self.expire_all()

    # ---- life

    def close(self) -> None:
        """Detach every object; loaded values stay readable."""
        if self._closed:
            return
        for entity in [*self._identity, *self._pending.new.values()]:
            _detach(entity)
        self._identity.clear()
        self._pending.clear()
        self._by_location.clear()
        self._natives.clear()
        self._closed = True
        if self._owns_lab:
            self.lab.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is not None:
                self.rollback()
            elif self._pending:
                text = f"Left with {counted(self._pending)}; nothing was written. Call commit()"
                warnings.warn(text, UncommittedChangesWarning, stacklevel=2)
        finally:
            self.close()

    def __contains__(self, obj: object) -> bool:
        state = getattr(obj, "_state", None)
        return state is not None and state.tracker is self

    def __repr__(self) -> str:
        pending = self._pending
        what = f"{len(pending.new)} new, {len(pending.dirty())} changed, {len(pending.deleted)} to delete"
        return f"<Session on {self.store.target} as {self.user}: {'closed' if self._closed else what}>"

    # ---- the tracker that entities call

    def before_change(self, entity: Entity) -> None:
        """Take note of an object about to change; it is held until the change is written or undone."""
        with self._use():
            state = entity._state
            assert state is not None
            if state.status is Status.PERSISTENT:
                self._check_writable()
                self._pending.modified[id(entity)] = entity

    def join(self, entity: Entity) -> None:
        """Track an object that was hung below, or made the parent of, a tracked one."""
        with self._use():
            self._check_writable()
            self._add(entity)

    def find_loaded(self, kind: str, id: int) -> Any:
        """Give an instance that is in memory, or ``None``."""
        return self._identity.get(kind, id)

    def note_location(self, entity: Entity) -> None:
        """Remember an object that names something by location."""
        self._by_location[id(entity)] = entity

    def load_reference(self, entity: Entity, name: str, kind: str, id: int) -> Any:
        """Load the parent that a foreign key names."""
        with self._use():
            parent = self._get(kind, id)
        if parent is None:
            location = Location.of_number(kind, id)
            raise NotFound(f"{entity!r}.{name}: {location} does not exist, or is not shared with {self.user}")
        return parent

    def load_collection(self, entity: Entity, relation: str) -> list[Any]:
        """Read the stored members of a collection."""
        with self._use():
            item = entity.__spec__.relation_by_name[relation]
            if item.many_to_many:
                return self._linked(entity, item.kind)
            return self._loader.members(item, entity, self._run(children_select(entity, item, self._at)))

    # ---- inside

    def _use(self) -> OneAtATime:
        if self._closed:
            raise DetachedError("The session is closed; open a new one, or read values that were loaded before")
        return self._guard

    def _check_writable(self) -> None:
        if self.readonly:
            raise SessionError("The session is read-only; open one without readonly= and at= to change the lab")

    def _own(self, obj: Entity) -> State:
        state = obj._state
        if state is None or state.tracker is not self:
            raise SessionError(f"{obj!r} is not in this session; add it or get it first")
        return state

    def _add(self, obj: Entity) -> None:
        state = obj._state
        if state is None:
            found, met = reachable(obj)
            strangers = [other for other in met if other._state and other._state.tracker not in (self, None)]
            if strangers:
                raise ValidationFailed(f"{strangers[0]!r} belongs to another session; expunge it there first")
            for entity in found:
                self._track_new(entity)
        elif state.tracker is None:
            self._take_back(obj, state)
        elif state.tracker is not self:
            raise ValidationFailed(f"{obj!r} belongs to another session; expunge it there first, or use merge")
        elif state.status is Status.DELETED:
            deleting.unmark(self, obj)

    def _track_new(self, entity: Entity) -> None:
        state = State(entity.kind, self, self.store, Status.PENDING)
        object.__setattr__(entity, "_state", state)
        self._pending.new[id(entity)] = entity
        self._find_named(entity)
        for spec in entity.__spec__.refs:
            parent = vars(entity).get(spec.name)
            if parent is not None and spec.related:
                collection_of(parent, parent.__spec__.relation_by_name[spec.related]).add_silently(entity)

    def _find_named(self, entity: Entity) -> None:
        """Resolve what a new object names by location, where that is in memory."""
        for name, location in list((entity._unresolved or {}).items()):
            parent = self._identity.get(location.kind, location.number)
            if parent is not None:
                entity._put_reference(name, parent)
            else:
                self.note_location(entity)

    def _take_back(self, obj: Entity, state: State) -> None:
        if state.status is Status.GONE or not state.stored:
            raise SessionError(f"{obj!r} was deleted; copy it to create it anew")
        other = self._identity.get(obj.kind, state.id)
        if other is not None and other is not obj:
            raise ValidationFailed(f"{obj!r} and {other!r} stand for the same stored object; use merge")
        state.tracker, state.origin, state.status = self, self.store, Status.PERSISTENT
        self._identity.add(obj.kind, state.id, obj)
        if state.original:
            self._pending.modified[id(obj)] = obj

    def _plan(self) -> Plan:
        pending = self._pending
        modified = [item for item in pending.touched() if id(item) not in pending.deleted]
        return make_plan(pending.new.values(), modified, pending.deleted.values())

    def _write(self, message: str | None) -> Commit:
        recovering.reconcile(self)
        plan = self._plan()
        if not plan.items:
            self._pending.forget_unchanged()
            return Commit("", None, self.user, message)
        self._check_writable()
        changes, refs = change_set(plan, self.store, message)
        changes.id = self._retry_id or changes.id
        try:
            receipt = self._send(changes, plan, refs)
        except IdTaken:
            self._renumber(plan)
            return self._write(message)
        except StaleRows as refusal:
            stale = deleting.drop_gone(self, refusal.stale)
            if stale:
                raise conflict_error(self, stale) from None
            return self._write(message)
        return Commit(receipt.id, from_microseconds(receipt.version), receipt.user, message, plan.counts())

    def _send(self, changes: ChangeSet, plan: Plan, refs: dict[Any, Any]) -> Receipt:
        """Let the store write a change set, and settle it; anything but a clear refusal leaves its fate unknown."""
        try:
            receipt = self.store.apply(changes, self.user)
        except _REFUSALS:
            self._retry_id = None
            raise
        except BaseException:
            self._unsettled = recovering.unsettled(self, changes, plan, refs)
            raise
        try:
            self._settle(plan, refs, receipt)
        except BaseException:
            self._unsettled = recovering.unsettled(self, changes, plan, refs)
            raise
        return receipt

    def _settle(self, plan: Plan, refs: dict[Any, Any], receipt: Any) -> None:
        self._writes += 1
        settle(plan, receipt, refs, self.store)
        for entity in plan.creates:
            self._identity.add(entity.kind, entity._state.id, entity)
            self._pending.new.pop(id(entity), None)
        for update in plan.updates:
            self._pending.modified.pop(id(update.obj), None)
        self._pending.forget_unchanged()
        for planned in plan.deletes:
            self._pending.deleted.pop(id(planned.obj), None)
            self._pending.modified.pop(id(planned.obj), None)
            deleting.forget(self, planned, receipt.version)
        self._by_location.clear()
        self._retry_id = None

    def _renumber(self, plan: Plan) -> None:
        IDS.restart()
        for entity in plan.creates:
            assert entity._state is not None
            entity._state.id = 0

    def _get(self, kind: str, id: int) -> Any:
        entity = self._identity.get(kind, id)
        if entity is not None and not entity._expired:
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
        _detach(entity)


def _is_pending_move(entity: Entity, fk: str) -> bool:
    state = entity._state
    return state is not None and (not state.stored or fk in (state.original or {}))


def _detach(entity: Entity) -> None:
    state = entity._state
    if state is None:
        return
    if state.stored:
        state.tracker = None
        state.status = Status.DETACHED
    else:
        object.__setattr__(entity, "_state", None)


def _location_of(target: Any, id: str | None) -> Location:
    if id is not None:
        if not isinstance(target, type) or not issubclass(target, Entity):
            raise ValidationFailed(f"get({target!r}, {id!r}): a class and an id are needed", value=target)
        location = Location(id) if "/" in id else Location(f"{target.kind}/{id}")
        if location.kind != target.kind:
            raise ValidationFailed(f"{id!r} is the location of a {location.kind}, not of a {target.kind}", value=id)
        return location
    if isinstance(target, str):
        return Location(target)
    known: Location | None = getattr(target, "location", None)
    if known is None:
        raise ValidationFailed(f"{target!r} has no location; commit it first", value=target)
    return known
