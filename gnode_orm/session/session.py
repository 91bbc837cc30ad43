"""The session: what applications use. Identity map, unit of work, queries and loading over one lab."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import tzinfo
from os import PathLike
from types import NoneType, TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar, overload

from gnode_orm.core.arguments import check
from gnode_orm.core.collections import collection_of
from gnode_orm.core.entity import Entity
from gnode_orm.core.failures import misspelt
from gnode_orm.errors import (
    SessionError,
    UncommittedChangesWarning,
    ValidationFailed,
)
from gnode_orm.location import Location, parse
from gnode_orm.models import MODELS
from gnode_orm.session import adding, classic, deleting, history, leaving, natives, recovering, rolling_back, sharing
from gnode_orm.session.commit import Commit, check_message
from gnode_orm.session.comparing import changed_fields, link_changes
from gnode_orm.session.loading import collector_paused, is_clean
from gnode_orm.session.pending import counted, is_changed
from gnode_orm.session.plan import Plan
from gnode_orm.session.query import Query
from gnode_orm.session.savepoints import Savepoint
from gnode_orm.session.unit_of_work import UnitOfWork, Written, detach
from gnode_orm.stores.protocol import Store

if TYPE_CHECKING:
    from gnode_orm.core.changes import DeletePreview
    from gnode_orm.core.progress import Progress
    from gnode_orm.session.importing.options import Metadata
    from gnode_orm.session.importing.plan import ImportPlan
    from gnode_orm.session.importing.planning import Paths
    from gnode_orm.session.importing.result import ImportResult
    from gnode_orm.session.lab import Lab

E = TypeVar("E", bound=Entity)


class Session(UnitOfWork):
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

        if sum(item is not None for item in (target, store, lab)) > 1:
            raise ValidationFailed("Session(...) takes one of target, store and lab", value=target)
        check("Session(lab)", lab, (Lab, NoneType), "what connect() gave, or a target alone")
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
        try:
            super().__init__(lab.store, lab.user, at, readonly, lab.hooks)
        except BaseException:
            if self._owns_lab and store is None:
                lab.close()
            raise

    @overload
    def add(self, obj: E) -> E: ...
    @overload
    def add(self, obj: Any) -> Any: ...
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
            adding.add(self, obj)
            return obj

    def add_all(self, objs: Iterable[Any]) -> list[Any]:
        """Track several objects."""
        check("add_all(objs)", objs, Iterable, "a list of objects")
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
        check("is_modified(obj)", obj, Entity, "an object, such as a Block")
        return is_changed(obj)

    def changes(self, obj: Entity) -> dict[str, tuple[Any, Any]]:
        """Give ``field -> (old, new)`` for what a commit would write of an object."""
        check("changes(obj)", obj, Entity, "an object, such as a Block")
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

    def commit(self, message: str | None = None, *, plan: Plan | None = None) -> Commit:
        """Write everything pending as one atomic change set, durable when this returns.

        With ``plan``, refuse when what is pending is no longer what was reviewed.

        Raises:
            ValidationFailed, IntegrityError: nothing was written, and everything is still pending.
            ConflictError: objects were changed by somebody else; settle the conflicts and commit again.
            StoreUnavailable: the store cannot take it now; commit again later, it is written once.
        """
        with self._use():
            written = self._flush(message, plan)
            self._hooks.after_commit(self, *written)
            return written.commit

    def flush(self) -> Commit:
        """Write everything pending, as durable as a commit, without telling the ``after_commit`` hooks."""
        with self._use():
            return self._flush(None, None).commit

    def _flush(self, message: str | None, plan: Plan | None) -> Written:
        if self._nesting:
            raise SessionError("nested() can undo what is inside, but not a commit; commit after it")
        if self._flushing:
            raise SessionError("A hook cannot commit; what it adds and changes is part of the commit under way")
        check_message(message)
        check("commit(plan)", plan, (Plan, NoneType), "what session.plan() gave")
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
        """Call ``hook`` at every ``event`` of this session; one that raises leaves everything as it was.

        ``before_flush``: with the session, before anything is written; what it adds and changes is written too.
        ``after_commit``: with the session and the ``Commit``. ``on_load``: with each object that is read from the
        store. With a ``model``, the hook gets each object of that class in place of the session: those that are about
        to be created or changed, those that were, and those that were read.
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

    @overload
    def get(self, target: str, /) -> Any: ...
    @overload
    def get(self, target: type[E], id: str, /) -> E | None: ...
    def get(self, target: Any, id: str | None = None, /) -> Any:
        """Give one object by location, or by class and id; ``None`` where there is none to see.

        The same instance for the same location while anyone holds it.
        """
        # Read without making a location of it: that would take as long as finding the row.
        kind, number = parse(target if id is None and isinstance(target, str) else _location_of(target, id))
        with self._use():
            return self._get(kind, number)

    def query(self, model: type[E]) -> Query[E]:
        """Start a query for objects of one class.

        Raises:
            ValidationFailed: it is none of the 18 classes.
        """
        if not (isinstance(model, type) and model in MODELS.values()):
            raise ValidationFailed(f"query({model!r}): one of the 18 classes is needed, such as Block", value=model)
        return Query(self, model)

    def load_arrays(self, objs: Iterable[Any], *, t0: Any = None, t1: Any = None, channels: Any = None) -> list[Any]:
        """Read the samples of many signals, or the same stretch of each, in as few reads as possible.

        Raises:
            ValidationFailed: one object stands in place of a list.
        """
        from gnode_orm.session.arrays import load_arrays

        if isinstance(objs, Entity):
            raise ValidationFailed(f"load_arrays needs a list of objects, such as [{objs!r}]", value=objs)
        check("load_arrays(objs)", objs, Iterable, "a list of objects")
        with self._use():
            return load_arrays(self.store, list(objs), t0, t1, channels)

    def refresh(self, obj: Entity, *collections: str) -> None:
        """Read an object anew, losing its local changes; or, by name, some of its collections, keeping theirs.

        Raises:
            NotFound: it was deleted meanwhile.
        """
        with self._use():
            self._check_not_sending("Refreshing")
            self._own(obj)
            for name in collections:
                check("refresh(collections)", name, str, "names of collections, such as 'segments'")
                relation = obj.__spec__.relation_by_name.get(name)
                if relation is None:
                    raise misspelt(type(obj), name, among=obj.__spec__.relation_by_name)
                collection_of(obj, relation).fill(self.load_collection(obj, name))
            if collections:
                return
            rolling_back.restore(self, [obj])
            self.reload(obj)

    def expire_all(self) -> None:
        """Read every clean object, and every collection but for what is pending in it, anew when it is next used."""
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
        """Let go of an object, and of new objects that hang below it; its values stay in memory.

        Collections of objects that stay no longer show it: a new one is out of them, a stored one is read anew.
        """
        with self._use():
            self._check_not_sending("Expunging")
            self._own(obj)
            recovering.reconcile(self)
            leaving.let_go(self, obj)

    def history(self, target: Any) -> list[history.Version]:
        """Give every version of an object: commit, time, user and changed fields, oldest first."""
        location = _location_of(target, None)
        with self._use():
            return history.versions(self.store, location, self.user)

    def share(self, obj: Entity, user: str, level: str = "read") -> None:
        """Give a user access to a block or document and everything below, ``"read"`` or ``"write"``, at once.

        Raises:
            ValidationFailed: it is not stored, is no block or document, or there is no such level.
            AccessDenied: it belongs to somebody else.
        """
        sharing.share(self, obj, user, level)

    def unshare(self, obj: Entity, user: str) -> None:
        """Take a user's access back, at once.

        Raises:
            ValidationFailed: it is not shared with this user.
            AccessDenied: it belongs to somebody else.
        """
        sharing.unshare(self, obj, user)

    def access(self, obj: Entity) -> dict[str, str]:
        """Give the access list of a block or document, user to level; its owner alone sees it."""
        return sharing.access(self, obj)

    def permissions(self, obj: Entity, permissions: dict[str, str] | None = None) -> dict[str, str]:
        """Give the access list, or replace it; for the owner alone.

        Raises:
            ValidationFailed: it is not stored, is no block or document, or there is no such level.
            AccessDenied: it belongs to somebody else.
        """
        return sharing.permissions(self, obj, permissions)

    def import_file(
        self,
        path: str | PathLike[str],
        *,
        template: str | PathLike[str] | None = None,
        metadata: Metadata = None,
        timezone: str | tzinfo | None = None,
        reader: str | None = None,
        reader_options: Mapping[str, Any] | None = None,
        keep_personal: bool = False,
        keep_paths: bool = False,
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
            reader_options: arguments for the reader that is named, such as ``{"gap_tolerance_ms": 0.5}``.
            keep_personal: keep name, birth date and the like of a person, where the file holds them.
            keep_paths: keep the folders of files in ``file_origin``, not their names alone.
            raw: store the integers of the file with gain and offset, where the reader gives them.
            force: leave out objects that have errors, and list them, instead of refusing the block.
            again: import it although its content is in the lab already.
            progress: called with what is done, what there is to do, and what is being done.

        Raises:
            NotFound: there is nothing at the path.
            FormatError: nothing of it could be read or kept; the lab is unchanged.
            SessionError: the session is read-only.
        """
        from gnode_orm.session.importing.one_file import import_file

        return import_file(
            self, path, template=template, metadata=metadata, timezone=timezone, reader=reader,
            reader_options=reader_options, keep_personal=keep_personal, keep_paths=keep_paths, raw=raw,
            force=force, again=again, progress=progress,
        )  # fmt: skip

    def plan_import(
        self,
        paths: Paths,
        *,
        template: str | PathLike[str] | None = None,
        metadata: Metadata = None,
        timezone: str | tzinfo | None = None,
        reader: str | None = None,
        reader_options: Mapping[str, Any] | None = None,
        keep_personal: bool = False,
        keep_paths: bool = False,
        raw: bool = False,
        again: bool = False,
    ) -> ImportPlan:
        """Look at files, and give what an import of them would make: to print, to edit and to ``apply()``.

        Nothing is written. A folder stands for the recordings in it, unless it is one recording. The arguments are
        those of ``import_file``; each file of the plan has them as attributes.
        """
        from gnode_orm.session.importing.planning import plan_import

        return plan_import(
            self, paths, template=template, metadata=metadata, timezone=timezone, reader=reader,
            reader_options=reader_options, keep_personal=keep_personal, keep_paths=keep_paths, raw=raw,
            again=again,
        )  # fmt: skip

    def export(
        self, obj: Entity, path: str | PathLike[str], *, replace: bool = False, progress: Progress | None = None
    ) -> list[str]:
        """Write an object and everything below it to a file of neo or odML, and give what the file does not hold.

        ``progress`` is called with steps done, steps in all, and what is being done.

        Raises:
            ValidationFailed: no such format, not for this object, or the file is there and ``replace`` is not given.
        """
        from gnode_orm.files.export import export

        with self._use():
            return export(obj, path, replace=replace, progress=progress)

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

    def close(self) -> None:
        """Detach every object; loaded values stay readable."""
        if self._closed:
            return
        self._check_not_sending("Closing the session")
        for entity in [*self._identity, *self._pending.new.values()]:
            detach(entity)
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
                known = "nothing was written" if self._unsettled is None else "whether they were written is not known"
                text = f"Left with {counted(self._pending)}; {known}. Call commit()"
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

    def __reduce__(self) -> NoReturn:
        raise SessionError(
            "A session can neither be copied nor sent to another process: open one there on the same lab, and send "
            "locations or objects"
        )


def _location_of(target: Any, id: str | None) -> Location:
    if id is not None:
        if not isinstance(target, type) or not issubclass(target, Entity) or not isinstance(id, str):
            raise ValidationFailed(f"get({target!r}, {id!r}): a class and an id are needed", value=target)
        location = Location(id) if "/" in id else Location(f"{target.kind}/{id}")
        if location.kind != target.kind:
            raise ValidationFailed(f"{id!r} is the location of a {location.kind}, not of a {target.kind}", value=id)
        return location
    if isinstance(target, str):
        return Location(target)
    if isinstance(target, type) and issubclass(target, Entity):
        raise ValidationFailed(f"get({target.__name__}) needs an id too, or use query({target.__name__})", value=target)
    if not hasattr(target, "location"):
        raise ValidationFailed(f"get({target!r}): a location, or a class and an id, is needed", value=target)
    known: Location | None = getattr(target, "location", None)
    if known is None:
        raise ValidationFailed(f"{target!r} has no location; commit it first", value=target)
    return known
