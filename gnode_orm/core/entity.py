"""The base of the 18 models: a pydantic model that is tracked.

Values stand in the instance's ``__dict__``, so reads are native. What came from a store and was not touched yet stands
in ``_row`` and is decoded at first read; a foreign key that was not resolved yet stands there too, or in
``_unresolved`` when it was set to a location. Setting validates, tells the state, and keeps both sides of a
relationship right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from inspect import getattr_static
from typing import TYPE_CHECKING, Any, ClassVar, Self, dataclass_transform

from pydantic import BaseModel, ConfigDict, ValidationError

from gnode_orm.core import fields as field_rules
from gnode_orm.core.annotations import AnnotationDict, Watcher
from gnode_orm.core.codec import from_columns, from_microseconds
from gnode_orm.core.collections import Children, Collection, collection_of
from gnode_orm.core.expressions import META_FIELDS, Condition, column
from gnode_orm.core.failures import misspelt, translated
from gnode_orm.core.pydantic_bridge import ModelMetaclass, field_validators, fill_fast
from gnode_orm.core.schema import META_COLUMNS, SCHEMA, FieldSpec, FieldType, KindSpec
from gnode_orm.core.state import State
from gnode_orm.core.typed_json import encode
from gnode_orm.errors import DetachedError, ValidationFailed
from gnode_orm.location import NAMESPACES, Location
from gnode_orm.sentinels import NOT_LOADED

_building = 0


class Encoded(str):
    """Annotations as they were before an edit in place, as JSON text."""

    __slots__ = ()


@dataclass_transform(kw_only_default=True, field_specifiers=(field_rules.field, field_rules.extension, field_rules.ref))
class EntityMeta(ModelMetaclass):
    """Gives classes their columns: ``Segment.name`` is something to build conditions from."""

    if TYPE_CHECKING:
        # ``Segment.block`` is typed as ``type[Block]``, so that its fields can be reached; these make it comparable.
        def __eq__(cls, other: object) -> Condition: ...  # type: ignore[override]
        def __ne__(cls, other: object) -> Condition: ...  # type: ignore[override]
        def is_(cls, other: Any) -> Condition: ...
        def in_(cls, others: Any) -> Condition: ...
        def is_null(cls, yes: bool = True) -> Condition: ...

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> Any:
        global _building
        _building += 1
        try:
            cls = super().__new__(mcs, name, bases, namespace, **options)
        finally:
            _building -= 1
        if "kind" in namespace:
            _describe(cls)
        return cls

    if not TYPE_CHECKING:

        def __getattr__(cls, name: str) -> Any:
            spec = cls.__dict__.get("__spec__")
            # pydantic asks a base for its attributes while it builds a subclass; columns would look like defaults.
            if spec is None or _building or name.startswith("_"):
                return super().__getattr__(name)
            return column(spec.kind, spec, name)


class MetaField:
    """A read-only attribute that the store decides on; on the class, a column."""

    def __init__(self, read: Callable[[Any], Any], doc: str) -> None:
        self._read = read
        self.__doc__ = doc

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, obj: Any, owner: Any = None) -> Any:
        if obj is not None:
            return self._read(obj)
        spec = owner.__dict__.get("__spec__")
        return self if spec is None else column(spec.kind, spec, self._name)

    def __set__(self, obj: Any, value: Any) -> None:
        raise AttributeError(f"{type(obj).__name__}.{self._name} is decided by the store and cannot be set")


def _location(entity: Any) -> Location | None:
    state = entity._state
    return Location.of_number(entity.kind, state.id) if state is not None and state.stored else None


def _id(entity: Any) -> str | None:
    location = _location(entity)
    return None if location is None else location.id


def _guid(entity: Any) -> str | None:
    state = entity._state
    if state is None or not state.stored or state.origin is None:
        return None
    return str(state.origin.guid(entity.kind, state.id, state.version))


def _owner(entity: Any) -> str | None:
    return None if entity._state is None else entity._state.owner


def _created(entity: Any) -> datetime | None:
    state = entity._state
    return from_microseconds(state.created) if state is not None and state.created else None


def _modified(entity: Any) -> datetime | None:
    state = entity._state
    return from_microseconds(state.version) if state is not None and state.stored else None


class Entity(BaseModel, metaclass=EntityMeta):
    """Base of every model."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, ignored_types=(Children, MetaField))
    __slots__ = ("__weakref__", "_collections", "_row", "_state", "_unresolved")

    kind: ClassVar[str]
    namespace: ClassVar[str]
    __spec__: ClassVar[KindSpec]
    __validators__: ClassVar[dict[str, Any]]
    __offsets__: ClassVar[dict[str, int]]
    __all_fields__: ClassVar[set[str]]
    __positional__: ClassVar[str]
    __references__: ClassVar[frozenset[str]]
    __documents__: ClassVar[tuple[str, ...]]
    __synonyms__: ClassVar[dict[str, str]] = {}

    if TYPE_CHECKING:
        _state: State | None
        _row: tuple[Any, ...] | None
        _unresolved: dict[str, Location] | None
        _collections: dict[str, Collection[Any]] | None

        @property
        def location(self) -> Location | None: ...
        @property
        def id(self) -> str | None: ...
        @property
        def guid(self) -> str | None: ...
        @property
        def owner(self) -> str | None: ...
        @property
        def date_created(self) -> datetime | None: ...
        @property
        def modified(self) -> datetime | None: ...
    else:
        location = MetaField(_location, "Typed address, or None until stored.")
        id = MetaField(_id, "Ten characters, unique within the kind; None until stored.")
        guid = MetaField(_guid, "Revision id, a new one for each version; None until stored.")
        owner = MetaField(_owner, "Name of the user who made the object; None until stored.")
        date_created = MetaField(_created, "Aware UTC datetime of the first commit; None until stored.")
        modified = MetaField(_modified, "Aware UTC datetime of the last commit; None until stored.")

    if not TYPE_CHECKING:
        # Identity is by object: values with arrays have no truth value to compare by.
        __eq__ = object.__eq__
        __hash__ = object.__hash__

    def __new__(cls, *args: Any, **values: Any) -> Self:
        self = object.__new__(cls)
        set_slot = object.__setattr__
        set_slot(self, "_state", None)
        set_slot(self, "_row", None)
        set_slot(self, "_unresolved", None)
        set_slot(self, "_collections", None)
        return self

    if not TYPE_CHECKING:

        def __init__(self, *args: Any, **values: Any) -> None:
            cls = type(self)
            if args:
                _take_positional(cls, args, values)
            for synonym, name in cls.__synonyms__.items():
                if synonym in values:
                    values[name] = values.pop(synonym)
            try:
                cls.__pydantic_validator__.validate_python(values, self_instance=self)
            except ValidationError as error:
                raise translated(cls, error) from None
            for name in cls.__documents__:
                self.__dict__[name] = AnnotationDict(self.__dict__[name], Watcher(self, name))
            self.check()
            for name in cls.__references__ & values.keys():
                self._first_reference(name)

        def __getattr__(self, name: str) -> Any:
            spec = type(self).__spec__.by_name.get(name)
            if spec is None:
                raise misspelt(type(self), name)
            if spec.type is FieldType.REF:
                return self._resolve(spec)
            return self._materialise(spec)

        def __setattr__(self, name: str, value: Any) -> None:
            cls = type(self)
            validate = cls.__validators__.get(name)
            if validate is None:
                return self._set_other(name, value)
            try:
                value = validate(value)
            except ValidationError as error:
                raise translated(cls, error, field=name) from None
            if name in cls.__references__:
                return self._set_reference(name, value)
            if name in cls.__documents__:
                value = AnnotationDict(value, Watcher(self, name))
            if self._state is not None:
                self._remember(name)
            self.__dict__[name] = value
            if name not in self.__pydantic_fields_set__:
                self.__pydantic_fields_set__.add(name)

        def __delattr__(self, name: str) -> None:
            raise AttributeError(f"{type(self).__name__}.{name} cannot be deleted; set it to None")

    def check(self) -> None:
        """Check what concerns several fields together; run on construction and before every write.

        Raises:
            ValidationFailed: for instance labels that do not match the times.
        """

    def ref(self, name: str) -> Location | None:
        """Give the location that a foreign key names, without loading it; ``None`` for none or an unstored parent."""
        if name not in type(self).__references__:
            raise misspelt(type(self), name, among=type(self).__references__)
        value = self._raw(name)
        return value if value is None or isinstance(value, Location) else value.location

    # ---- foreign keys

    def _raw(self, name: str) -> Any:
        """Give a field as it stands: a value, a ``Location``, or decoded from the record."""
        if name in vars(self):
            return vars(self)[name]
        spec = type(self).__spec__.by_name[name]
        if spec.type is not FieldType.REF:
            return self._materialise(spec)
        if self._unresolved is not None and name in self._unresolved:
            return self._unresolved[name]
        number = None if self._row is None else self._row[type(self).__offsets__[name]]
        assert spec.target is not None
        return None if number is None else Location.of_number(spec.target, number)

    def _resolve(self, spec: FieldSpec) -> Any:
        location = self._raw(spec.name)
        if not isinstance(location, Location):
            vars(self)[spec.name] = location
            return location
        tracker = None if self._state is None else self._state.tracker
        if tracker is None:
            raise DetachedError(
                f"{self!r}: {spec.name} ({location}) was not loaded, and there is no open session to load it; add the "
                f"object to a session, load it with with_({spec.name!r}), or use ref({spec.name!r})"
            )
        parent = tracker.load_reference(self, spec.name, location.kind, location.number)
        vars(self)[spec.name] = parent
        return parent

    def _first_reference(self, name: str) -> None:
        value = vars(self)[name]
        if isinstance(value, Location):
            del vars(self)[name]
            self._set_unresolved(name, value)
        elif value is not None:
            _hang_in(self, type(self).__spec__.by_name[name], value)
            value._join(self)

    def _set_reference(self, name: str, value: Any) -> None:
        spec = type(self).__spec__.by_name[name]
        old = self._raw(name)
        value = self._loaded(spec, value)
        if value is old or (isinstance(value, Location) and value == old):
            return
        if isinstance(value, Entity):
            self._check_sessions(value)
        if self._state is not None:
            self._remember(name)
        parent = self._loaded(spec, old)
        if isinstance(parent, Entity) and spec.related:
            collection_of(parent, _relation(parent, spec)).discard_silently(self)
        self._put_reference(name, value)
        if isinstance(value, Entity):
            _hang_in(self, spec, value)
            self._join(value)

    def _put_reference(self, name: str, value: Any) -> None:
        if isinstance(value, Location):
            vars(self).pop(name, None)
            self._set_unresolved(name, value)
            return
        if self._unresolved is not None:
            self._unresolved.pop(name, None)
        vars(self)[name] = value

    def _set_unresolved(self, name: str, location: Location) -> None:
        if self._unresolved is None:
            object.__setattr__(self, "_unresolved", {})
        assert self._unresolved is not None
        self._unresolved[name] = location

    def _loaded(self, spec: FieldSpec, value: Any) -> Any:
        """Give the instance for a location that is in the identity map; other values as they are."""
        tracker = None if self._state is None else self._state.tracker
        if tracker is None or not isinstance(value, Location):
            return value
        return tracker.find_loaded(value.kind, value.number) or value

    def _check_sessions(self, other: Entity) -> None:
        mine = None if self._state is None else self._state.tracker
        theirs = None if other._state is None else other._state.tracker
        if mine is not None and theirs is not None and mine is not theirs:
            raise ValidationFailed(
                f"{self!r} and {other!r} belong to different sessions; merge one of them into the other's session"
            )

    def _join(self, other: Entity) -> None:
        """Bring the other side into this object's session, or this object into the other's."""
        self._check_sessions(other)
        for here, there in ((self, other), (other, self)):
            state = here._state
            if state is not None and state.tracker is not None and there._state is None:
                state.tracker.join(there)

    # ---- tracking

    def _remember(self, name: str) -> None:
        """Keep what a field held, before its first change since the last write."""
        state = self._state
        assert state is not None
        if state.original is None:
            if state.tracker is not None:
                state.tracker.before_change(self)
            state.original = {}
        if name not in state.original:
            state.original[name] = self._held(name)

    def _held(self, name: str) -> Any:
        spec = type(self).__spec__.by_name.get(name)
        if spec is None:
            return NOT_LOADED  # a many-to-many collection keeps its own account
        if name in vars(self):
            value = vars(self)[name]
            return Encoded(encode(value)) if spec.type is FieldType.JSON else value
        if self._unresolved is not None and name in self._unresolved:
            return self._unresolved[name]
        return NOT_LOADED

    def _before_edit(self, name: str) -> None:
        """Called before annotations or a many-to-many collection are edited in place."""
        if self._state is not None:
            self._remember(name)

    def _restore(self, name: str, value: Any) -> None:
        """Put back what ``_held`` kept."""
        spec = type(self).__spec__.by_name.get(name)
        if spec is None:
            return
        if self._unresolved is not None:
            self._unresolved.pop(name, None)
        if value is NOT_LOADED:
            vars(self).pop(name, None)
        elif spec.type is FieldType.REF:
            self._put_reference(name, value)
        else:
            decoded = from_columns(spec, (str(value),), None) if isinstance(value, Encoded) else value
            vars(self)[name] = self._watched(name, decoded)

    def _watched(self, name: str, value: Any) -> Any:
        return AnnotationDict(value, Watcher(self, name)) if name in type(self).__documents__ else value

    def _materialise(self, spec: FieldSpec) -> Any:
        if self._row is None:
            raise AttributeError(f"{type(self).__name__}.{spec.name} was never set")
        start = type(self).__offsets__[spec.name]
        columns = self._row[start : start + len(spec.read_columns)]
        origin = None if self._state is None else self._state.origin
        value = self._watched(spec.name, from_columns(spec, columns, origin))
        if spec.name == "ext":
            value = field_rules.Extension.accept(value)
        vars(self)[spec.name] = value
        return value

    def _set_other(self, name: str, value: Any) -> None:
        name = type(self).__synonyms__.get(name, name)
        if name in type(self).__validators__:
            setattr(self, name, value)
        elif isinstance(getattr_static(type(self), name, None), property | Children | MetaField):
            object.__setattr__(self, name, value)
        elif name == "ext":
            raise AttributeError(f"{type(self).__name__}.ext is kept by the package and cannot be set")
        else:
            raise misspelt(type(self), name)

    def _set_ext(self, value: Mapping[str, Any]) -> None:
        """Set what the kinds cannot hold; for converters."""
        if self._state is not None:
            self._remember("ext")
        vars(self)["ext"] = field_rules.Extension.accept(value)

    # ---- making, copying, showing

    @classmethod
    def _load(cls, row: tuple[Any, ...], state: State) -> Self:
        """Make an instance from a record, without validation: the store's data was validated when it was written."""
        self = cls.__new__(cls)
        fill_fast(self, cls.__all_fields__)
        set_slot = object.__setattr__
        set_slot(self, "_state", state)
        set_slot(self, "_row", row)
        return self

    def _reload(self, row: tuple[Any, ...]) -> None:
        """Take over a newer record, forgetting what was read from the older one."""
        vars(self).clear()
        object.__setattr__(self, "_row", row)
        object.__setattr__(self, "_unresolved", None)

    def _values(self) -> dict[str, Any]:
        """Every field as it stands, foreign keys unresolved where they are."""
        return {name: self._raw(name) for name in type(self).__spec__.by_name}

    def _twin(self) -> Self:
        """Make a transient copy; foreign keys point to the same parents, who do not learn of it."""
        cls = type(self)
        twin = cls.__new__(cls)
        fill_fast(twin, set(self.__pydantic_fields_set__))
        for name, value in self._values().items():
            if isinstance(value, Location) and name in cls.__references__:
                twin._set_unresolved(name, value)
            else:
                vars(twin)[name] = twin._watched(name, value)
        return twin

    def __copy__(self) -> Self:
        return self._twin()

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        twin = self._twin()
        if memo is not None:
            memo[id(self)] = twin
        return twin

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy as a transient object; ``update`` is validated."""
        twin = self._twin()
        for name, value in (update or {}).items():
            setattr(twin, name, value)
        return twin

    def __getstate__(self) -> dict[Any, Any]:
        values = {
            name: value.location if isinstance(value, Entity) and value.location is not None else value
            for name, value in self._values().items()
        }
        return {"values": values, "set": set(self.__pydantic_fields_set__)}

    def __setstate__(self, kept: dict[Any, Any]) -> None:
        fill_fast(self, kept["set"])
        for name, value in kept["values"].items():
            if isinstance(value, Location) and name in type(self).__references__:
                self._set_unresolved(name, value)
            else:
                vars(self)[name] = self._watched(name, value)

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """Validate a dictionary, such as ``model_dump`` gives, into a transient object."""
        if isinstance(obj, Mapping):
            return cls(**{key: value for key, value in obj.items() if key not in META_FIELDS})
        if isinstance(obj, cls):
            return obj
        raise ValidationFailed(f"{cls.__name__}: {obj!r} is not a dictionary of fields", entity=cls.__name__, value=obj)

    def model_dump(self, *, include: Any = None, exclude: Any = None, **options: Any) -> dict[str, Any]:
        """Give the fields as a dictionary: foreign keys as locations, for ``mode="json"`` arrays as descriptors."""
        twin = self._twin()
        for name in type(self).__references__:
            vars(twin)[name] = self.ref(name)
        body = BaseModel.model_dump(twin, include=include, exclude=exclude, **options)
        head: dict[str, Any] = {name: getattr(self, name) for name in META_FIELDS}
        if options.get("mode") == "json":
            head = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in head.items()}
        shown = {name for name in head if (include is None or name in include) and name not in (exclude or ())}
        return {**{name: head[name] for name in head if name in shown}, **body}

    def model_dump_json(self, *, indent: int | None = None, **options: Any) -> str:
        """Give ``model_dump(mode="json")`` as text."""
        import orjson

        style = orjson.OPT_INDENT_2 if indent else 0
        return orjson.dumps(self.model_dump(mode="json", **options), option=style).decode()

    def __repr__(self) -> str:
        state = self._state
        shown = [f"{name}={_short(value)}" for name, value in self._shown()]
        if state is not None and state.stored:
            shown.append(f"at {self.kind}/{self.id}")
        return f"{type(self).__name__}({', '.join(shown)})"

    __str__ = __repr__

    def _shown(self) -> list[tuple[str, Any]]:
        """The fields that one line has room for: those that are set, without documents."""
        skipped = {
            "annotations",
            "array_annotations",
            "ext",
            "description",
            "definition",
            "file_origin",
            "safety_level",
        }
        values = ((name, self._raw(name)) for name in type(self).__spec__.by_name if name not in skipped)
        return [(name, value) for name, value in values if value is not None][:6]

    def _repr_html_(self) -> str:
        from gnode_orm.core.show import entity_html

        return entity_html(self)

    def __repr_args__(self) -> Any:
        return self._shown()

    def __rich_repr__(self) -> Any:
        yield from self._shown()

    def __iter__(self) -> Any:
        yield from self._values().items()


def _short(value: Any) -> str:
    if isinstance(value, Entity):
        location = value.location
        return f"<{value.kind}/{location.id}>" if location else f"<new {type(value).__name__}>"
    if isinstance(value, Location):
        return f"<{value.kind}/{value.id}>"
    text = repr(value) if isinstance(value, str) else str(value)
    text = text.replace("\n", "\\n")
    return text if len(text) <= 60 else text[:57] + "..."


def _relation(parent: Entity, spec: FieldSpec) -> Any:
    return type(parent).__spec__.relation_by_name[spec.related or ""]


def _hang_in(child: Entity, spec: FieldSpec, parent: Entity) -> None:
    if spec.related:
        collection_of(parent, _relation(parent, spec)).add_silently(child)


def _take_positional(cls: type[Entity], args: tuple[Any, ...], values: dict[str, Any]) -> None:
    name = cls.__positional__
    if len(args) > 1 or name in values:
        raise TypeError(f"{cls.__name__} takes one value by position, {name}; give the others by name")
    (values[name],) = args


def _describe(cls: Any) -> None:
    """Derive the schema of a new class from its declaration."""
    specs = tuple(_field_spec(name, info) for name, info in cls.model_fields.items())
    relations = tuple(item.relation for item in vars(cls).values() if isinstance(item, Children))
    cls.namespace = NAMESPACES[cls.kind]
    spec = KindSpec(cls.kind, cls.namespace, cls.__name__, specs, relations, cls.__dict__.get("__roots__", ()))
    cls.__spec__ = spec
    cls.__validators__ = {name: check for name, check in field_validators(cls).items() if name != "ext"}
    offset = len(META_COLUMNS)
    cls.__offsets__ = {}
    for item in specs:
        cls.__offsets__[item.name] = offset
        offset += len(item.read_columns)
    cls.__all_fields__ = set(cls.model_fields)
    cls.__positional__ = next(name for name, info in cls.model_fields.items() if info.kw_only is False)
    cls.__references__ = frozenset(item.name for item in spec.refs)
    cls.__documents__ = tuple(name for name in ("annotations", "array_annotations") if name in spec.by_name)
    SCHEMA[cls.kind] = spec


def _field_spec(name: str, info: Any) -> FieldSpec:
    for rule in info.metadata:
        if isinstance(rule, field_rules.ReferenceRule):
            return FieldSpec(name, FieldType.REF, target=rule.kind, related=info.json_schema_extra["related"])
    annotation = info.annotation
    if isinstance(annotation, type) and issubclass(annotation, field_rules._Measured):
        return FieldSpec(name, FieldType.QUANTITY, annotation.dimension)
    if isinstance(annotation, type) and issubclass(annotation, field_rules._Sampled):
        return FieldSpec(name, FieldType.ARRAY, annotation.dimension)
    if annotation in (field_rules.Annotations, field_rules.Extension, field_rules.Scaling):
        return FieldSpec(name, FieldType.JSON)
    return FieldSpec(name, field_rules.Mapped.field_type(annotation))
