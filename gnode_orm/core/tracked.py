"""Where an entity's values stand, and how they are kept before they change.

Values stand in the instance's ``__dict__``, so reads are native. What came from a store and was not touched yet stands
in the state's ``fields`` and is decoded at first read. What was given in a form that takes long to turn into a value
(locations of foreign keys, quantities as their columns, annotations that nobody watches yet) stands in the
``__dict__`` under its late name, ``~time`` for ``time``. What was not given does not exist before somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict

from gnode_orm.core import quantity
from gnode_orm.core.annotations import AnnotationDict, Watcher
from gnode_orm.core.children import Children
from gnode_orm.core.codec import from_columns, read_part
from gnode_orm.core.collections import Collection
from gnode_orm.core.fields import Extension, ReadOnlyDict
from gnode_orm.core.given import GivenNames
from gnode_orm.core.meta_fields import MetaField, location_of
from gnode_orm.core.metaclass import EntityMeta
from gnode_orm.core.pydantic_bridge import (
    fill_fast,
    fill_values,
    set_fields_set,
    set_private,
    slot_setters,
)
from gnode_orm.core.schema import FieldSpec, FieldType, KindSpec, late
from gnode_orm.core.state import Origin, State, Status, Tracker, leave
from gnode_orm.core.typed_json import encode
from gnode_orm.errors import DetachedError
from gnode_orm.location import Location
from gnode_orm.sentinels import NOT_LOADED


class Encoded(str):
    """Annotations as they were before an edit in place, as JSON text."""

    __slots__ = ()


class Tracked(BaseModel, metaclass=EntityMeta):
    """The values of an entity, in memory or in a record, and what it looked like before it was changed."""

    # Validators are built at the first use of a class: importing the package, and reading, need none.
    model_config = ConfigDict(
        extra="forbid", arbitrary_types_allowed=True, ignored_types=(Children, MetaField), defer_build=True
    )

    kind: ClassVar[str]
    namespace: ClassVar[str]
    __spec__: ClassVar[KindSpec]
    __validators__: ClassVar[dict[str, Callable[[Any], Any]]]
    __given__: ClassVar[GivenNames]
    __offsets__: ClassVar[dict[str, int]]
    __all_fields__: ClassVar[set[str]]
    __own_fields__: ClassVar[frozenset[str]]
    __positional__: ClassVar[str]
    __references__: ClassVar[frozenset[str]]
    __synonyms__: ClassVar[dict[str, str]] = {}
    # Where those fields stand in a record that are kept as they are read.
    __as_read__: ClassVar[dict[str, int]]

    if TYPE_CHECKING:  # as properties, since the checkers would take attributes for fields

        def __hash__(self) -> int: ...

        @property
        def _state(self) -> State | None:
            """Place in a session; ``None`` while the object is transient."""

        @property
        def _collections(self) -> dict[str, Collection[Any]] | None:
            """Collections that were asked for."""

    if not TYPE_CHECKING:
        __slots__ = ("__weakref__", "_collections", "_state")

        # Nothing but fields is accepted, so that instances need no slot for the rest.
        __pydantic_extra__ = None

        # Identity is by object: values with arrays have no truth value to compare by.
        __eq__ = object.__eq__
        __hash__ = object.__hash__

    @classmethod
    def _blank(cls) -> Self:
        """Make an instance without values, for a record: the store's data was validated when it was written.

        The one who calls it enters it into a session; its state holds the record.
        """
        self = object.__new__(cls)
        fill_fast(self, cls.__all_fields__)
        set_collections(self, None)
        return self

    def _enter(
        self,
        tracker: Tracker | None,
        origin: Origin | None,
        status: Status,
        id: int = 0,
        version: int = 0,
        created: int = 0,
        owner: str | None = None,
        fields: tuple[Any, ...] | None = None,
    ) -> State:
        """Take a place in a session."""
        state = State(self, leave)
        state.kind = self.kind
        state.tracker = tracker
        state.origin = origin
        state.status = status
        state.id = id
        state.version = version
        state.created = created
        state.owner = owner
        state.fields = fields
        state.original = None
        set_state(self, state)
        return state

    def _reload(self, fields: tuple[Any, ...]) -> None:
        """Take over the fields of a newer record, forgetting what was read from the older one."""
        assert self._state is not None
        values = vars(self)
        kept = self._own_values()
        for name in type(self).__spec__.documents:
            document = values.get(name, values.get(_former(name)))
            if document is not None:
                kept[_former(name)] = document  # whoever holds the annotations goes on holding them
        values.clear()
        values.update(kept)
        self._state.fields = fields

    def _expire(self) -> None:
        """Forget every value; the record is read again when the next one is asked for."""
        self._reload(())

    @property
    def _expired(self) -> bool:
        return self._state is not None and self._state.fields == ()

    def _record(self) -> tuple[Any, ...] | None:
        """Give the fields of the record, read again where it expired; ``None`` for an object made here."""
        state = self._state
        if state is None:
            return None
        if state.fields == ():
            if state.tracker is None:
                raise DetachedError(
                    f"{type(self).__name__} at {location_of(self)} expired, and there is no open session to read it "
                    "again; add it to a session"
                )
            state.tracker.reload(self)
        return state.fields

    def _raw(self, name: str) -> Any:
        """Give a field as it stands: a value, a ``Location``, or decoded from the record."""
        values = self.__dict__
        if name in values:
            return values[name]
        spec = type(self).__spec__.by_name[name]
        if spec.type is not FieldType.REF:
            return self._materialise(spec)
        if spec.late_name in values:
            return values[spec.late_name]
        fields = self._record()
        number = None if fields is None else fields[type(self).__offsets__[name]]
        assert spec.target is not None
        return None if number is None else Location.of_number(spec.target, number)

    def _columns(self, name: str) -> tuple[Any, ...]:
        """Give the write columns of a quantity, without making it where nobody read it."""
        given = self.__dict__.get(late(name))
        return quantity.to_columns(self._raw(name) if given is None else given)

    def _values(self) -> dict[str, Any]:
        """Every field as it stands, foreign keys unresolved where they are."""
        return {name: self._raw(name) for name in type(self).__spec__.by_name}

    def _own_values(self) -> dict[str, Any]:
        """What an object of a class below a kind holds beside the fields of the kind; it is not stored."""
        return {name: value for name, value in vars(self).items() if name in type(self).__own_fields__}

    def _materialise(self, spec: FieldSpec) -> Any:
        """Decode a field from the record, or from what was given, and keep it decoded."""
        values = vars(self)
        given = values.get(spec.late_name, NOT_LOADED)
        if given is not NOT_LOADED:
            decoded = from_columns(spec, read_part(spec, given), None) if type(given) is tuple else given
            value = self._watched(spec.name, decoded)
        elif (fields := self._record()) is not None:
            start = type(self).__offsets__[spec.name]
            columns = fields[start : start + len(spec.read_columns)]
            origin = None if self._state is None else self._state.origin
            value = self._watched(spec.name, from_columns(spec, columns, origin))
        else:
            value = self._watched(spec.name, None)
        # Another thread may read it as well: whoever is first decides, and no moment is without the value.
        value = values.setdefault(spec.name, value)
        values.pop(spec.late_name, None)
        return value

    def _watched(self, name: str, value: Any) -> Any:
        """Bind what can be edited in place to this object and field."""
        if name in type(self).__spec__.documents:
            former = vars(self).pop(_former(name), None)
            if former is None:
                return AnnotationDict(value, Watcher(self, name))
            former.put_back(value)
            return former
        if name == "ext":
            return value if type(value) is ReadOnlyDict else ReadOnlyDict(value or {})
        return value

    def _set_ext(self, value: Mapping[str, Any]) -> None:
        """Set what the kinds cannot hold; for converters."""
        accepted = Extension.accept(value)
        if self._state is not None:
            self._remember("ext")
        vars(self)["ext"] = accepted

    def _before_edit(self, name: str) -> None:
        """Called before annotations or a many-to-many collection are edited in place."""
        if _former(name) in vars(self):
            self._raw(name)  # the edit is one of what is stored now
        if self._state is not None:
            self._remember(name)

    def _remember(self, name: str) -> None:
        """Keep what a field held, before its first change since the last write."""
        state = self._state
        assert state is not None
        if state.original is None:
            self._record()  # a change is one of a certain version
            if state.tracker is not None:
                state.tracker.before_change(self)
            state.original = {}
        if name not in state.original:
            state.original[name] = self._held(name)

    def _held(self, name: str) -> Any:
        """Give what a field holds, as ``_restore`` takes it; nothing is read."""
        spec = type(self).__spec__.by_name.get(name)
        if spec is None:  # of a class below a kind; a many-to-many collection keeps its own account
            return vars(self).get(name, NOT_LOADED)
        is_document = spec.type is FieldType.JSON
        if name in vars(self) or spec.late_name in vars(self):
            value = self._raw(name)
            return Encoded(encode(value)) if is_document else value
        if self._state is not None and self._state.fields is not None:
            return NOT_LOADED
        return Encoded("{}") if is_document else None  # it was not given

    def _restore(self, name: str, value: Any) -> None:
        """Put back what ``_held`` kept."""
        spec = type(self).__spec__.by_name.get(name)
        if spec is None:
            vars(self).update({} if value is NOT_LOADED else {name: value})
            return
        vars(self).pop(spec.late_name, None)
        if value is NOT_LOADED:
            vars(self).pop(name, None)
        elif spec.type is FieldType.REF:
            self._put_reference(name, value)
        else:
            decoded = from_columns(spec, (str(value),), None) if isinstance(value, Encoded) else value
            held = vars(self).get(name)
            if isinstance(held, AnnotationDict):
                held.put_back(decoded)  # whoever holds the annotations goes on holding them
            else:
                vars(self)[name] = self._watched(name, decoded)

    def _put_reference(self, name: str, value: Any) -> None:
        """Let a foreign key hold an instance, a location or ``None``; nobody else learns of it."""
        if isinstance(value, Location):
            self._put_location(name, value)
        else:
            vars(self).pop(late(name), None)
            vars(self)[name] = value

    def _put_location(self, name: str, location: Location) -> None:
        vars(self).pop(name, None)
        vars(self)[late(name)] = location
        if self._state is not None and self._state.tracker is not None:
            self._state.tracker.note_location(self)


def _former(name: str) -> str:
    """Give the name under which annotations stand that were read before the object was reloaded or expired."""
    return "^" + name


set_state, set_collections = slot_setters(Tracked, "_state", "_collections")


def fill_new(entity: Tracked, values: dict[str, Any], fields: set[str]) -> None:
    """Fill a new object with its values, and say which fields were given."""
    set_fields_set(entity, fields)
    set_private(entity, None)
    fill_values(entity, values)
    set_state(entity, None)
    set_collections(entity, None)


def enter_new(entities: Sequence[Tracked], tracker: Tracker, origin: Origin) -> None:
    """Let new objects of one kind take their places in a session, as ``_enter`` does for one."""
    kind, pending = entities[0].kind, Status.PENDING
    for entity in entities:
        state = State(entity, leave)
        state.kind = kind
        state.tracker = tracker
        state.origin = origin
        state.status = pending
        state.id = state.version = state.created = 0
        state.owner = state.fields = state.original = None
        set_state(entity, state)


def fill_slots(entity: Tracked) -> None:
    """Fill the slots of an object without a session."""
    set_state(entity, None)
    set_collections(entity, None)
